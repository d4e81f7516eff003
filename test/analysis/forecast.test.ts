import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forecast, type Forecast } from '#src/analysis/flow/forecast.js'
import { simulate } from '#src/analysis/flow/simulate.js'
import fc from 'fast-check'
import type { GraphData } from 'millrace'
import { graphOf, pipelines } from './graphs.js'

function near(actual: number | undefined, expected: number, tolerance = 1e-3): void {
  assert.ok(
    actual !== undefined && Math.abs(actual - expected) <= tolerance * Math.max(1, expected),
    `${actual} is not ${expected}`,
  )
}
function rateInto(found: Forecast, id: string): number | undefined {
  return found.nodes.find((node) => node.id === id)?.in
}

/** 10/s come, `slow` takes 4/s, and 60 records fit between. */
const filling = graphOf(
  [
    { kind: 'source', id: 'in', rate: 10 },
    { kind: 'transform', id: 'quick', latencyMs: 50 },
    { kind: 'buffer', id: 'queue', capacity: 60 },
    { kind: 'sink', id: 'slow', latencyMs: 250 },
  ],
  ['in > quick', 'quick > queue', 'queue > slow'],
)

test('until a buffer is full, the stages before it run as fast as they can', () => {
  const found = forecast(filling, { seconds: 5 })
  near(rateInto(found, 'quick'), 10)
  near(rateInto(found, 'slow'), 4)
  near(found.nodes.find(({ id }) => id === 'queue')?.held, 30)
  assert.equal(found.bottleneck, 'slow')
  assert.equal(found.settledS, Infinity)
})

test('then back-pressure comes up, lane by lane, until all is settled as simulated', () => {
  // 60 / (10 - 4) = 10 s until the buffer is full; then the lane before `quick` gains 6/s: 120 more records take 20 s.
  const small = { maxDemand: 120 }
  near(forecast(filling, { seconds: 10, ...small }).nodes.find(({ id }) => id === 'queue')?.held, 60)
  near(rateInto(forecast(filling, { seconds: 29, fromSeconds: 11, ...small }), 'quick'), 4)
  near(rateInto(forecast(filling, { seconds: 29, fromSeconds: 11, ...small }), 'in'), 10)
  const long = forecast(filling, { seconds: 100, fromSeconds: 40, ...small })
  near(long.settledS, 30)
  for (const { id, in: into } of simulate(filling).nodes) near(rateInto(long, id), into)
})

test('no more is on its way than the window of the source lets', () => {
  const graph = {
    ...filling,
    nodes: filling.nodes.map((node) => Object.assign({ ...node }, node.kind === 'source' ? { window: 30 } : {})),
  }
  // 6 records more each second: after 5 s the window is full, and the source sends what ends.
  const found = forecast(graph, { seconds: 60, fromSeconds: 6 })
  near(rateInto(found, 'in'), 4)
  near(found.nodes.find(({ id }) => id === 'queue')?.held, 30)
  near(found.settledS, 5)
})

test('a source without a rate fills its lane at once, and is held by it from then on', () => {
  const graph = graphOf(['source in', { kind: 'sink', id: 'out', latencyMs: 10 }], ['in > out'])
  near(rateInto(forecast(graph, { seconds: 10, fromSeconds: 1 }), 'in'), 100)
})

test('a full buffer that drops keeps the rate of what comes and of what leaves', () => {
  const graph = graphOf(
    [
      { kind: 'source', id: 'in', rate: 100 },
      { kind: 'buffer', id: 'latest', capacity: 10, whenFull: 'dropOldest' },
      { kind: 'sink', id: 'out', latencyMs: 20 },
    ],
    ['in > latest', 'latest > out'],
  )
  const found = forecast(graph, { seconds: 100 })
  near(rateInto(found, 'in'), 100)
  near(rateInto(found, 'out'), 50)
  near(found.nodes.find(({ id }) => id === 'latest')?.held, 10)
})

test('while there is a backlog everywhere, the workers of cpu stages get the same part of the cores', () => {
  const graph = graphOf(
    [
      'source in',
      { kind: 'transform', id: 'a', latencyMs: 1, cpu: true },
      { kind: 'transform', id: 'b', latencyMs: 4, cpu: true },
      { kind: 'sink', id: 'c', latencyMs: 1, cpu: true },
    ],
    ['in > a', 'a > b', 'b > c'],
  )
  // Each of `a` and `b` takes p, `c` the quarter of p that comes of `b`: 2.25 p = 1.5 cores.
  const early = forecast(graph, { seconds: 3, cores: 1.5 })
  near(rateInto(early, 'a'), 1_500 / 2.25)
  near(rateInto(early, 'b'), 1_500 / 2.25 / 4)
  assert.equal(early.bottleneck, 'b')
  const late = forecast(graph, { seconds: 2_000, fromSeconds: 1_000, cores: 1.5 })
  for (const { id, in: into } of simulate(graph, { cores: 1.5 }).nodes) near(rateInto(late, id), into)
})

test('a lane that drains lets its reader run on when less comes', () => {
  // Of two branches the slow one fills its lane; the join behind gets both.
  const graph = graphOf(
    [
      { kind: 'source', id: 'in', rate: 100 },
      'conditional pick',
      { kind: 'transform', id: 'slow', latencyMs: 40 },
      { kind: 'transform', id: 'quick', latencyMs: 1 },
      'sink out',
    ],
    [
      'in > pick',
      { from: 'pick', to: 'slow', when: 's', ratio: 0.5 },
      { from: 'pick', to: 'quick', when: 'q', ratio: 0.5 },
      'slow > out',
      'quick > out',
    ],
  )
  near(rateInto(forecast(graph, { seconds: 10 }), 'out'), 75)
  near(rateInto(forecast(graph, { seconds: 10_000, fromSeconds: 9_000 }), 'out'), 50)
})

test('what comes to an empty lane leaves it, however much more its reader would take', () => {
  // Of 1 record, 1 goes straight to `slow`, and 3/4 become 6 each on two edges side by side: 5.5 in all. `slow` takes 36/s.
  const graph = graphOf(
    [
      { kind: 'source', id: 'in', rate: 12 },
      'transform split',
      'conditional pick',
      { kind: 'transform', id: 'triple', selectivity: 3 },
      { kind: 'sink', id: 'slow', serviceRate: 36 },
      'sink side',
    ],
    [
      'in > split',
      'split > slow',
      'split > pick',
      { from: 'pick', to: 'triple', when: 'on', ratio: 0.75 },
      { from: 'pick', to: 'side', when: 'off', ratio: 0.25 },
      'triple > slow',
      'triple > slow',
    ],
  )
  const found = forecast(graph, { seconds: 1e6, fromSeconds: 1e5, maxDemand: 50 })
  near(rateInto(found, 'in'), 36 / 5.5)
  near(rateInto(found, 'triple'), (0.75 * 36) / 5.5)
  near(rateInto(found, 'slow'), 36)
})

test('lanes that fill and drain for ever count as they do on average', () => {
  // Each lane holds one record. `join` takes 125/s, 1 straight and 3/4 by way of `detour` of each source record.
  const graph = graphOf(
    [
      { kind: 'source', id: 'in', rate: 71.43 },
      { kind: 'transform', id: 'fork', concurrency: 2 },
      'conditional pick',
      { kind: 'transform', id: 'detour', latencyMs: 0.1 },
      { kind: 'sink', id: 'join', serviceRate: 125 },
      'sink side',
    ],
    [
      'in > fork',
      'fork > pick',
      { from: 'pick', to: 'detour', when: 'on', ratio: 0.75 },
      { from: 'pick', to: 'side', when: 'off', ratio: 0.25 },
      'detour > join',
      'fork > join',
    ],
  )
  const found = forecast(graph, { seconds: 1e7, fromSeconds: 9e6, maxDemand: 1 })
  near(rateInto(found, 'in'), 125 / 1.75, 0.01)
  near(rateInto(found, 'detour'), (0.75 * 125) / 1.75, 0.01)
})

test('where the window is full, the source sends what ends, though cores that it leaves are used below', () => {
  // `first` and `second` take 10 ms of a core for each record, of one core: 50/s.
  const graph = graphOf(
    [
      { kind: 'source', id: 'in', rate: 60, window: 4 },
      { kind: 'transform', id: 'first', latencyMs: 10, cpu: true, concurrency: 2 },
      { kind: 'sink', id: 'second', latencyMs: 10, cpu: true },
    ],
    ['in > first', 'first > second'],
  )
  near(rateInto(forecast(graph, { seconds: 1e6, fromSeconds: 1e5, cores: 1 }), 'in'), 50)
})

test('in the long run every forecast settles as simulated, on random pipelines with one source', () => {
  fc.assert(
    fc.property(pipelines, (graph) => {
      const single = {
        ...graph,
        nodes: graph.nodes.filter(({ id }) => id !== 'in1' && id !== 'in2'),
        edges: graph.edges.filter(({ from }) => from !== 'in1' && from !== 'in2'),
      }
      const found = forecast(single, { seconds: 1e7, fromSeconds: 9e6, maxDemand: 50 })
      for (const { id, in: into } of simulate(single).nodes) near(rateInto(found, id), into, 0.01)
    }),
    { numRuns: 60 },
  )
})

/** Each stage takes less than the one before, so that all lanes fill at once. */
function narrowing(stages: number): GraphData {
  const ids = Array.from({ length: stages }, (_, i) => `s${i}`)
  return graphOf(
    ['source in', ...ids.map((id, i) => ({ kind: 'transform' as const, id, latencyMs: 1 + i / stages })), 'sink out'],
    [`in > s0`, ...ids.slice(1).map((id, i) => `${ids[i]} > ${id}`), `${ids.at(-1)} > out`],
  )
}

/** Core time of the first moment, in µs; the least of several, since the first of them are still being compiled. */
function costOf(stages: number): number {
  const graph = narrowing(stages)
  const costs = Array.from({ length: 5 }, () => {
    const began = process.cpuUsage()
    forecast(graph, { seconds: 1e-6 })
    return process.cpuUsage(began).user
  })
  return Math.min(...costs)
}

test('what one moment costs grows with the graph and not with its square', () => {
  costOf(500)
  // 8 times the stages: 8 times as much, where the square is 64 times.
  const [small, large] = [costOf(500), costOf(4_000)]
  assert.ok(large < 25 * small, `${large} µs for 4,000 stages, ${small} µs for 500`)
})

test('lanes of a long chain fill as those of a short one', () => {
  const found = forecast(narrowing(2_000), { seconds: 1, maxDemand: 100_000 })
  // Each stage runs as fast as it can, as long as there is room after it.
  for (const i of [0, 1, 2, 1_000, 1_999]) near(rateInto(found, `s${i}`), 1_000 / (1 + i / 2_000))
  assert.equal(found.bottleneck, 's1999')
})
