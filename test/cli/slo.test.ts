/** `millrace check` as what keeps a build from landing. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const CLI = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'millrace-slo-'))
after(() => rmSync(folder, { recursive: true }))
const graph = join(folder, 'graph.json')
const nodes = [
  { id: 'in', kind: 'source', rate: 300 },
  { id: 'work', kind: 'transform', latencyMs: 10 },
  { id: 'out', kind: 'sink' },
]
const edges = [
  { from: 'in', to: 'work' },
  { from: 'work', to: 'out' },
]
writeFileSync(graph, JSON.stringify({ name: 'line', nodes, edges, clusters: [] }))

function check(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'check', graph, ...args], { encoding: 'utf8' })
  return { code: status, out: stdout, err: stderr }
}

test('an objective that does not hold is exit code 1, with the way that misses it', () => {
  const missed = check('--slo', 'p99=100ms', '--slo', 'throughput=50/s')
  assert.equal(missed.code, 1)
  assert.match(missed.out, /missed {2}p99 ≤ 100 ms: .* by in → work → out\nkept {4}throughput ≥ 50\/s: 100\/s/)
  assert.equal(check('--slo', 'throughput=50/s').code, 0)
})

test('--fix proposes what keeps it, as a table and as a JSON Patch that does', () => {
  const { out } = check('--slo', 'p99=100ms', '--fix')
  assert.match(out, /work +concurrency +1 +\d+ +it limits the graph\n\nWith that:\nkept {4}p99/)
  const { patch, slo, ok } = JSON.parse(check('--slo', 'p99=100ms', '--fix', '--json').out) as {
    patch: { op: string; path: string; value: number }[]
    slo: { isKept: boolean }[]
    ok: boolean
  }
  assert.deepEqual(
    [patch.map(({ op, path }) => `${op} ${path}`), slo[0]!.isKept, ok],
    [['add /nodes/1/concurrency'], false, false],
  )
  const patched = nodes.map((node, i) => (i === 1 ? { ...node, concurrency: patch[0]!.value } : node))
  writeFileSync(join(folder, 'patched.json'), JSON.stringify({ name: 'line', nodes: patched, edges, clusters: [] }))
  const args = ['check', join(folder, 'patched.json'), '--slo', 'p99=100ms']
  assert.equal(spawnSync(process.execPath, [CLI, ...args]).status, 0)
})

test('what is no objective is exit code 2, with what is', () => {
  for (const given of ['p98=1ms', 'p99=200', 'throughput=1ms', 'errors=5ms', 'p99']) {
    const { code, err } = check('--slo', given)
    assert.equal(code, 2, given)
    assert.match(err, /--slo takes p50=20ms/)
  }
})
