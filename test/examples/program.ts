/** Programs of `examples/programs`, run as a user runs them. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'

const PROGRAMS = fileURLToPath(new URL('../../examples/programs/', import.meta.url))

/** A program that runs. */
export interface Program {
  /** What it prints first. */
  readonly firstLine: Promise<string>
  /** All that it has printed, when it has ended with 0. */
  readonly out: Promise<string>
  readonly err: () => string
  /** Asks it to end. */
  terminate(): void
}

/** A folder that is removed when the tests of the file are over. */
export function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-example-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function program(name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
  const child = spawn(process.execPath, [join(PROGRAMS, `${name}.js`), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  after(() => child.kill('SIGKILL'))
  let out = ''
  let err = ''
  child.stderr.on('data', (text: Buffer) => (err += text.toString()))
  const firstLine = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (text: Buffer) => {
      out += text.toString()
      if (out.includes('\n')) resolve(out.slice(0, out.indexOf('\n')))
    })
    child.on('close', () => reject(new Error(`${name} has ended: ${err}`)))
  })
  firstLine.catch(() => undefined)
  return { firstLine, out: ended(child, () => ({ out, err })), err: () => err, terminate: () => child.kill('SIGTERM') }
}

async function ended(child: ChildProcess, said: () => { out: string; err: string }): Promise<string> {
  const code = await new Promise((resolve) => child.on('close', resolve))
  assert.equal(code, 0, said().err)
  return said().out
}

/** The records of a file of NDJSON. */
export function rowsOf<T>(file: string): T[] {
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as T)
}
