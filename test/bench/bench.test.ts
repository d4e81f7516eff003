import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** Whether each suite works, on few records. No time is asserted. */
const BENCH = fileURLToPath(new URL('../../native-bench/bench.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'bench-'))
after(() => rmSync(folder, { recursive: true }))

function bench(
  args: readonly string[],
  env: Record<string, string> = {},
): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BENCH, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 300_000,
  })
  return { status, out: stdout, err: stderr }
}

interface Row {
  name: string
  unit: string
  median: number | null
  min: number | null
  max: number | null
  runs: number
  note?: string
}
interface Run {
  suite: string
  machine: Record<string, unknown>
  results: Row[]
  ratios: Record<string, number | null>
}

function runQuick(suite: string, args: readonly string[] = [], env: Record<string, string> = {}): Run {
  const { status, out, err } = bench(['--suite', suite, '--quick', '--json', ...args], env)
  assert.equal(status, 0, err)
  return JSON.parse(out.trimEnd().split('\n').at(-1)!) as Run
}

const RATIOS: Readonly<Record<string, readonly string[]>> = {
  ring: ['overCpp1', 'overCpp256'],
  hop: ['overMessagePort', 'overMessagePortBatch', 'overPiscina', 'overMsgpack'],
  pipeline: ['trivialOverPiscina', 'trivialOverMessagePortChain', 'trivialOverOneThread', 'work20usOfIdeal'],
  ints: ['overMessagePortBatch'],
  latency: ['hotP50OverMessagePort', 'parkedP50OverMessagePort'],
  embed: ['lightP99OverIdle', 'throughputOverPiscina'],
  idle: [],
  workers: ['speedup2'],
  codec: [],
  curves: [],
}

for (const [suite, keys] of Object.entries(RATIOS)) {
  test(`suite ${suite}: every contender moves what it must, and the last line is the outcome as JSON`, () => {
    const run = runQuick(suite)
    assert.equal(run.suite, suite)
    for (const fact of ['cpu', 'cores', 'node', 'date', 'commit']) assert.ok(fact in run.machine, fact)
    assert.ok(run.results.length > 1)
    for (const { name, unit, median, min, max, runs, note } of run.results) {
      assert.ok(unit.length > 0)
      if (note !== undefined) continue
      assert.ok(min! > 0 && min! <= median! && median! <= max!, name)
      assert.equal(runs, 1)
    }
    assert.deepEqual(Object.keys(run.ratios), keys)
    const isWhole = run.results.every(({ note }) => note === undefined)
    for (const ratio of Object.values(run.ratios)) assert.ok(ratio === null ? !isWhole : ratio > 0)
  })
}

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

test('an unknown suite or option is refused with exit code 2, and what there is', () => {
  const suite = bench(['--suite', 'rings'])
  assert.equal(suite.status, 2)
  assert.match(suite.err, /no suite "rings".*ring, hop, pipeline/)
  const option = bench(['--sweet', 'ring'])
  assert.equal(option.status, 2)
  assert.match(option.err, /--sweet/)
  assert.equal(bench(['ring']).status, 2)
  assert.equal(bench(['--table']).status, 2)
  const missing = bench(['--compare', join(folder, 'nothing.json')])
  assert.equal(missing.status, 2)
  assert.match(missing.err, /nothing\.json cannot be read/)
  assert.equal(bench(['--draw', '--table', 'x']).status, 2)
  assert.equal(bench(['--help']).status, 0)
})
