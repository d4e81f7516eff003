/** Services in the frameworks of the web: built by their own tools, moved to where their sources are not, asked over HTTP. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { project } from './project.js'

const next = ['next@16', 'react@19', 'react-dom@19', '@types/react@19']
const nest = ['@nestjs/core@11', '@nestjs/common@11', '@nestjs/platform-express@11', 'reflect-metadata', 'rxjs@7']
const own = project([...next, ...nest, 'typescript@5', '@types/node@20'])
const options = { skip: own.skip, concurrency: 1 }
const ASK_MS = 60_000

/** A service that answers on a port of its own, until the test ends. */
async function serve(cwd: string, file: string): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const port = await freePort()
  const env = { ...process.env, PORT: String(port), HOSTNAME: '127.0.0.1', NEXT_TELEMETRY_DISABLED: '1' }
  const child = spawn(process.execPath, [file], { cwd, env, stdio: 'inherit' })
  after(() => child.kill('SIGKILL'))
  return { child, url: `http://127.0.0.1:${port}` }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** The answer of a service as soon as it listens. */
async function ask(url: string, child: ChildProcess): Promise<unknown> {
  const until = performance.now() + ASK_MS
  while (performance.now() < until && child.exitCode === null) {
    const answer = await fetch(url).catch(() => undefined)
    if (answer === undefined) await new Promise((resolve) => setTimeout(resolve, 50))
    else if (answer.ok) return answer.json()
    else throw new Error(`${answer.status}: ${await answer.text()}`)
  }
  throw new Error(child.exitCode === null ? 'the service does not listen' : `it ended with ${child.exitCode}`)
}

async function exits(child: ChildProcess): Promise<number | null> {
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  const [code] = (await exit) as [number | null]
  return code
}

test('Next.js: a route handler calls a pipeline, in a standalone build', options, async () => {
  const folder = join(own.folder, 'next')
  const built = await own.run('next', ['build', folder], { NEXT_TELEMETRY_DISABLED: '1' })
  assert.equal(built.code, 0, built.out + built.err)
  const shipped = mkdtempSync(join(tmpdir(), 'millrace-next-'))
  after(() => rmSync(shipped, { recursive: true, force: true }))
  cpSync(join(folder, '.next/standalone'), shipped, { recursive: true, verbatimSymlinks: true })
  renameSync(folder, `${folder}-away`)
  const { child, url } = await serve(join(shipped, 'next'), 'server.js')
  assert.equal(await ask(`${url}/double?n=21`, child), 42)
})

test('NestJS: a provider runs a pipeline, a controller calls it, and SIGTERM drains it', options, async () => {
  const built = await own.run('tsc', ['-p', 'nest'])
  assert.equal(built.code, 0, built.out + built.err)
  const { child, url } = await serve(own.folder, 'nest/out/main.js')
  assert.equal(await ask(`${url}/double?n=21`, child), 42)
  assert.equal(await exits(child), 0)
})
