import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const example = (file: string): string => join(root, 'build/examples/flows', file)

test('the example of flows reads a folder, each file by its kind', () => {
  const said = execFileSync(process.execPath, [example('main.js'), 'docs'], { cwd: root, encoding: 'utf8' })
  const texts = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))
  const words = texts.flatMap((name) =>
    readFileSync(join(root, 'docs', name), 'utf8')
      .split(/\s+/)
      .filter(Boolean),
  ).length
  assert.equal(said, `${texts.length} files with ${words} words\n`)
  const pictures = execFileSync(process.execPath, [example('main.js'), 'docs/pictures'], {
    cwd: root,
    encoding: 'utf8',
  })
  const pngs = readdirSync(join(root, 'docs/pictures')).filter((name) => name.endsWith('.png'))
  assert.match(pictures, new RegExp(`^${pngs.length} files with 0 words; the largest picture is docs/pictures/`))
})

test('the same flows answer over HTTP', async (t) => {
  const server: ChildProcess = spawn(process.execPath, [example('serve.js'), '0'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => server.kill('SIGKILL'))
  const [line] = (await once(server.stdout!, 'data')) as [Buffer]
  const url = /http:\S+/.exec(String(line))![0]
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'README.md' })
  const { sha256, words } = (await response.json()) as { sha256: string; words: number }
  const bytes = readFileSync(join(root, 'README.md'))
  assert.equal(sha256, createHash('sha256').update(bytes).digest('hex'))
  assert.equal(words, String(bytes).split(/\s+/).filter(Boolean).length)
  server.kill('SIGTERM')
  assert.deepEqual(await once(server, 'exit'), [0, null])
})
