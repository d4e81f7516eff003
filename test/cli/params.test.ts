import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const CLI = fileURLToPath(import.meta.resolve('#src/cli/main.js'))
const GRAPHS = fileURLToPath(new URL('../run/params-graphs.js', import.meta.url))
const ONE_FILE = fileURLToPath(new URL('../run/modules/one-file.js', import.meta.url))

function millrace(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8', timeout: 60_000 })
  return { code: status, out: stdout, err: stderr }
}

test('`run` gives handlers, and a function that makes the graph, their params', () => {
  const { code, out, err } = millrace('run', GRAPHS, '--graph', 'countTo', '--params', '{"count":3}', '--no-api')
  assert.equal(code, 0, err)
  assert.deepEqual(
    out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
    [0, 1, 2].map((record) => ({ node: 'out', record })),
  )
})

test('a function of params is drawn, checked and simulated with them', () => {
  for (const command of ['draw', 'check', 'simulate']) {
    const { code, err } = millrace(command, GRAPHS, '--graph', 'countTo', '--params', '{"count":3}')
    assert.equal(code, 0, `${command}: ${err}`)
  }
  assert.match(millrace('draw', GRAPHS, '--graph', 'countTo').err, /countTo .*--params JSON/)
  assert.match(millrace('draw', GRAPHS, '--graph', 'countTo', '--params', '{').err, /--params takes JSON/)
})

test('a module that runs its graph itself is drawn, and not run', () => {
  const { code, out, err } = millrace('draw', ONE_FILE)
  assert.equal(code, 0, err)
  assert.match(out, /numbers/)
  assert.doesNotMatch(out + err, /acked/)
})

test('`run --measure` writes what the other commands take as measurements', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-measure-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'run.json')
  const graph = ['--graph', 'countTo', '--params', '{"count":50}']
  const ran = millrace('run', GRAPHS, ...graph, '--no-api', '--measure', file)
  assert.equal(ran.code, 0, ran.err)
  const { nodes } = JSON.parse(readFileSync(file, 'utf8')) as { nodes: Record<string, { in: number }> }
  assert.equal(nodes['out']!.in, 50)
  for (const command of ['check', 'simulate', 'draw']) {
    const { code, err } = millrace(command, GRAPHS, ...graph, '--measurements', file)
    assert.equal(code, 0, `${command}: ${err}`)
  }
  const nowhere = millrace('run', GRAPHS, ...graph, '--no-api', '--measure', join(folder, 'none', 'run.json'))
  assert.match(nowhere.err, /FILE_NOT_WRITTEN/)
  assert.equal(nowhere.code, 1)
})
