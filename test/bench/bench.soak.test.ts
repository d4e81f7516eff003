import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Run, bench, folder, runQuick, works } from './suites.js'

works({
  ring: ['overCpp1', 'overCpp256'],
  hop: ['overMessagePort', 'overMessagePortBatch', 'overPiscina', 'overMsgpack'],
  ints: ['overMessagePortBatch'],
  latency: [
    'hotP50OverMessagePort',
    'parkedP50OverMessagePort',
    'oneWayP99At10OverMessagePort',
    'oneWayP99At80OverMessagePort',
  ],
  embed: ['lightP99OverIdle', 'throughputOverPiscina'],
  idle: [],
  workers: ['speedup2'],
  codec: [],
  requests: [
    'oneStepOverPiscina',
    'diamondOverPiscina',
    'diamondOverBullMq',
    'keptDiamondOverBullMq',
    'httpP50OverPiscina',
    'httpP99OverPiscina',
  ],
  durable: ['groupOfInMemory', 'timeOfInMemory', 'groupOverBullMQ', 'groupOverTable'],
  curves: [],
})

test('without a compiler the native rows say so, and the rest runs', () => {
  const run = runQuick('ring', [], { PATH: folder })
  const native = run.results.filter(({ name }) => name.startsWith('C++'))
  assert.equal(native.length, 2)
  for (const row of native) assert.match(row.note!, /no C\+\+ compiler/)
  assert.ok(run.results.some(({ median }) => median !== null))
  assert.deepEqual(run.ratios, { overCpp1: null, overCpp256: null })
})

test('what is saved is compared, printed as tables and drawn as curves', () => {
  const file = join(folder, 'saved', 'runs.json')
  const args = ['--quick', '--save', file]
  assert.equal(bench(['--suite', 'curves', ...args]).status, 0)
  const first = bench(['--suite', 'workers', ...args])
  assert.match(first.out, /speedup2/)
  const saved = JSON.parse(readFileSync(file, 'utf8')) as { runs: Run[] }
  assert.deepEqual(
    saved.runs.map(({ suite }) => suite),
    ['curves', 'workers'],
  )
  const again = bench(['--suite', 'workers', ...args, '--compare', file])
  assert.match(again.out, /now ÷ saved/)
  assert.match(bench(['--table', file]).out, /\| `speedup2` \| [\d.,]+ \|/)
  const drawn = bench(['--draw', file, '--out', folder]).out.trim().split('\n')
  assert.equal(drawn.length, 3)
  for (const path of drawn) assert.match(readFileSync(path, 'utf8'), /<svg .*<polyline points="\d/s)
})
