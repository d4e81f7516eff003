import assert from 'node:assert/strict'
import { test } from 'node:test'
import { latency } from '#src/analysis/flow/latency.js'
import { graphOf } from './graphs.js'

function near(actual: number | undefined, expected: number): void {
  assert.ok(
    actual !== undefined && Math.abs(actual - expected) <= 1e-9 * Math.max(1, expected),
    `${actual} is not ${expected}`,
  )
}

const stage = (id: string, latencyMs: number): { kind: 'transform'; id: string; latencyMs: number } => ({
  kind: 'transform',
  id,
  latencyMs,
})

test('the critical path adds up service times and edge weights, in ms', () => {
  const { critical } = latency(
    graphOf(
      [
        { kind: 'source', id: 'in', rate: 1 },
        stage('a', 25),
        { kind: 'buffer', id: 'q', latencyMs: 3 },
        stage('b', 80),
        'sink out',
      ],
      ['in > a', 'a > q', { from: 'q', to: 'b', weight: 7 }, 'b > out'],
    ),
  )
  near(critical?.criticalMs, 25 + 3 + 7 + 80)
  near(critical?.minMs, 115)
  near(critical?.maxMs, 115)
  assert.deepEqual(critical?.path, ['in', 'a', 'q', 'b', 'out'])
})

test('the fastest way is the minimum, the slowest the critical path, and the mean lies between by the ratios', () => {
  const found = latency(
    graphOf(
      [
        { kind: 'source', id: 'in', rate: 0.001 },
        'conditional pick',
        stage('slow', 100),
        stage('quick', 10),
        'sink out',
      ],
      [
        'in > pick',
        { from: 'pick', to: 'slow', when: 's', ratio: 0.25 },
        { from: 'pick', to: 'quick', when: 'q', ratio: 0.75 },
        'slow > out',
        'quick > out',
      ],
    ),
  )
  const [out] = found.sinks
  near(out?.minMs, 10)
  near(out?.maxMs, 100)
  assert.deepEqual(out?.path, ['in', 'pick', 'slow', 'out'])
  assert.ok(Math.abs((out?.meanMs ?? 0) - 32.5) < 0.01)
})

test('a retry loop counts as often as it is expected to turn', () => {
  // Each try takes 10 ms; with probability 0.2 another 30 + 10 ms follow: 10 + 0.2 / 0.8 × 40 = 20.
  const { critical } = latency(
    graphOf(
      [{ kind: 'source', id: 'in', rate: 0.001 }, stage('work', 10), stage('wait', 30), 'sink out'],
      ['in > work', { from: 'work', to: 'wait', pathType: 'retry', ratio: 0.2 }, 'wait > work', 'work > out'],
    ),
  )
  near(critical?.criticalMs, 20)
  near(critical?.maxMs, 10)
  assert.deepEqual(critical?.path, ['in', 'work', 'out'])
})

test('a way out of the middle of a loop takes what records take that leave there', () => {
  // Through the loop at least once: check 1, again 5, fix 20; then dead 2. A record that ends there has turned
  // 0.5 × 0.9 / (1 - 0.45) times more on average: 26 × 0.45 / 0.55.
  const found = latency(
    graphOf(
      [
        { kind: 'source', id: 'in', rate: 0.001 },
        { kind: 'conditional', id: 'check', latencyMs: 1 },
        { kind: 'buffer', id: 'again', latencyMs: 5 },
        stage('fix', 20),
        'sink out',
        { kind: 'sink', id: 'dead', latencyMs: 2 },
      ],
      [
        'in > check',
        { from: 'check', to: 'out', when: 'yes', ratio: 0.5 },
        { from: 'check', to: 'again', when: 'no', ratio: 0.5, pathType: 'retry' },
        'again > fix',
        { from: 'fix', to: 'check', when: 'again', ratio: 0.9, pathType: 'retry' },
        { from: 'fix', to: 'dead', pathType: 'dead_letter', ratio: 0.1 },
      ],
    ),
  )
  const dead = found.sinks.find(({ sink }) => sink === 'dead')
  near(dead?.minMs, 28)
  near(dead?.criticalMs, 28 + (26 * 0.45) / 0.55)
  assert.deepEqual(dead?.path, ['in', 'check', 'again', 'fix', 'dead'])
  assert.equal(found.critical?.sink, 'dead')
})

test('waiting follows the queueing formula and never exceeds what fits in front of a full stage', () => {
  const half = latency(
    graphOf(
      [
        { kind: 'source', id: 'in', rate: 50 },
        { kind: 'sink', id: 'out', latencyMs: 10 },
      ],
      ['in > out'],
    ),
  )
  // M/M/1 at load 0.5: wait = 10 × 0.5 / 0.5.
  near(half.critical?.queueMs, 10)
  const full = latency(
    graphOf(
      [
        { kind: 'source', id: 'in', rate: 500 },
        { kind: 'buffer', id: 'q', capacity: 20 },
        { kind: 'sink', id: 'out', latencyMs: 10 },
      ],
      ['in > q', 'q > out'],
    ),
  )
  near(full.critical?.queueMs, 200)
})

function batchOf(size: number): number | undefined {
  const sink = { kind: 'sink' as const, id: 'out', batch: { size, timeoutMs: 50 } }
  return latency(graphOf([{ kind: 'source', id: 'in', rate: 100 }, sink], ['in > out'])).critical?.queueMs
}

test('an open batch waits half of the time until it is full or its time-out', () => {
  near(batchOf(3), 10)
  near(batchOf(1_000), 25)
})

test('the edge filter leaves ways out', () => {
  const graph = graphOf(
    [{ kind: 'source', id: 'in', rate: 1 }, stage('work', 1), stage('alarm', 1_000), 'sink out'],
    ['in > work', 'work > out', { from: 'work', to: 'alarm', pathType: 'error', ratio: 0.01 }, 'alarm > out'],
  )
  near(latency(graph).critical?.criticalMs, 1_001)
  near(latency(graph, { paths: ['normal'] }).critical?.criticalMs, 1)
})

test('without a way to a sink there is no critical path', () => {
  assert.deepEqual(latency(graphOf(['source in', 'sink out'], [])), { critical: undefined, sinks: [] })
})

test('a chain of twenty thousand stages takes seconds', () => {
  const size = 20_000
  const nodes = Array.from({ length: size }, (_, index) => stage(`n${index}`, 1))
  const edges = Array.from({ length: size - 1 }, (_, index) => ({ from: `n${index}`, to: `n${index + 1}` }))
  const graph = graphOf(
    [{ kind: 'source', id: 'in', rate: 1 }, ...nodes, 'sink out'],
    ['in > n0', ...edges, { from: `n${size - 1}`, to: 'out' }],
  )
  const began = process.cpuUsage()
  near(latency(graph).critical?.criticalMs, size)
  // Core time, in microseconds: a machine that is busy otherwise takes longer.
  assert.ok(process.cpuUsage(began).user < 10_000_000)
})
