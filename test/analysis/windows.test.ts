import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bottlenecks } from '#src/analysis/flow/capacity.js'
import { forecast } from '#src/analysis/flow/forecast.js'
import { simulate } from '#src/analysis/flow/simulate.js'
import type { GraphData, GraphEdge, GraphNode } from 'millrace'
import { graphOf } from './graphs.js'

function near(actual: number | undefined, expected: number, tolerance = 1e-6): void {
  assert.ok(
    actual !== undefined && Math.abs(actual - expected) <= tolerance * Math.max(1, expected),
    `${actual} is not ${expected}`,
  )
}

/** From a source with a window of 100 to a buffer that takes in all of it, over what lies between. */
function beforeBuffer(between: readonly (GraphNode | string)[], edges: readonly (GraphEdge | string)[]): GraphData {
  return graphOf(
    [
      { kind: 'source', id: 'in', rate: 10, window: 100 },
      ...between,
      { kind: 'buffer', id: 'queue', capacity: 10_000 },
      { kind: 'sink', id: 'slow', serviceRate: 2 },
    ],
    [...edges, 'queue > slow'],
  )
}

function reach(graph: GraphData): number | undefined {
  return simulate(graph).buffers[0]?.reach
}

const expanding = beforeBuffer([{ kind: 'transform', id: 'split', selectivity: 5 }], ['in > split', 'split > queue'])

test('a source record that becomes five before a buffer fills it as five', () => {
  const [queue] = simulate(expanding).buffers
  // 100 source records are 500 there; 50/s come and 2/s leave.
  near(queue?.reach, 500)
  // The window keeps the rest of its capacity out of reach.
  assert.equal(queue?.timeToFullS, Infinity)
  near(queue?.timeToDrainS, 250)
  near(queue?.absorbsS, 250)
  const found = forecast(expanding, { seconds: 100 })
  near(found.settledS, 500 / 48)
  near(found.nodes.find(({ id }) => id === 'queue')?.held, 500)
})

test('what ends on the way leaves its place in the window to others', () => {
  const filtered = beforeBuffer([{ kind: 'transform', id: 'keep', selectivity: 0.5 }], ['in > keep', 'keep > queue'])
  near(reach(filtered), 100)
  const edges: GraphEdge[] = [
    { from: 'pick', to: 'queue', when: 'rare', ratio: 0.1 },
    { from: 'pick', to: 'side', when: 'usual', ratio: 0.9 },
  ]
  near(reach(beforeBuffer(['conditional pick', 'sink side'], ['in > pick', ...edges])), 100)
  // Each in ten of the five that one becomes: with one record there, it keeps its place.
  const split: GraphNode = { kind: 'transform', id: 'split', selectivity: 5 }
  const between = ['in > split', 'split > pick', ...edges]
  near(reach(beforeBuffer([split, 'conditional pick', 'sink side'], between)), 100)
})

test('a copy elsewhere takes no room from the one in the buffer, copies that meet there are two', () => {
  const elsewhere = beforeBuffer(['sink side'], ['in > queue', 'in > side'])
  near(reach(elsewhere), 100)
  near(forecast(elsewhere, { seconds: 1e4 }).nodes.find(({ id }) => id === 'queue')?.held, 100)
  const both = ['in > a', 'in > b', 'a > queue', 'b > queue']
  near(reach(beforeBuffer(['transform a', 'transform b'], both)), 200)
})

test('a record that comes back to the buffer is in it once', () => {
  const graph = beforeBuffer([], ['in > queue', { from: 'slow', to: 'queue', pathType: 'retry', ratio: 0.5 }])
  near(reach(graph), 100)
})

test('a buffer below one that drops holds what the source lets on its way', () => {
  const graph = beforeBuffer(
    [
      { kind: 'buffer', id: 'latest', capacity: 10, whenFull: 'dropOldest' },
      { kind: 'transform', id: 'pass', serviceRate: 8 },
    ],
    ['in > latest', 'latest > pass', 'pass > queue'],
  )
  near(simulate(graph).buffers.find(({ node }) => node === 'queue')?.reach, 100)
})

/** 100/s into a buffer that drops, read at 50/s. */
function dropping(window: number, capacity: number, below: readonly string[] = []): GraphData {
  const chain = ['in', 'latest', ...below, 'out']
  return graphOf(
    [
      { kind: 'source', id: 'in', rate: 100, window },
      { kind: 'buffer', id: 'latest', capacity, whenFull: 'dropOldest' },
      ...below.map((id): GraphNode => ({ kind: 'transform', id })),
      { kind: 'sink', id: 'out', serviceRate: 50 },
    ],
    chain.slice(1).map((to, index): GraphEdge => ({ from: chain[index]!, to })),
  )
}

test('a buffer that the window cannot fill drops nothing: the source waits for what ends', () => {
  const found = simulate(dropping(1_000, 2_000))
  near(found.throughput, 50)
  near(found.buffers[0]?.dropped, 0)
  near(found.buffers[0]?.reach, 1_000)
  assert.deepEqual(found.sources[0]?.limit, { by: 'stage', node: 'out' })
  near(simulate(dropping(2_001, 2_000)).buffers[0]?.dropped, 50)
})

test('a buffer drops only once the lanes between it and the full stage are full as well', () => {
  // The lane before `out` holds 8,192.
  near(simulate(dropping(8_000, 10, ['pass'])).buffers[0]?.dropped, 0)
  near(simulate(dropping(8_300, 10, ['pass'])).buffers[0]?.dropped, 50)
})

test('without its bottleneck a graph may drop where it did not, and sends more', () => {
  // With `out` lifted `pass` is next, and the window fills the 500 before it.
  const graph = dropping(1_000, 500, ['pass'])
  const slower = {
    ...graph,
    nodes: graph.nodes.map((node) => (node.id === 'pass' ? { ...node, serviceRate: 80 } : node)),
  }
  const [first] = bottlenecks(slower)
  assert.equal(first?.node, 'out')
  near(first?.throughputWithout, 100)
})

/** What each of two buffers in a row drops. */
function twoDropping(window: number): readonly (number | undefined)[] {
  const graph = graphOf(
    [
      { kind: 'source', id: 'in', rate: 100, window },
      { kind: 'buffer', id: 'upper', capacity: 800, whenFull: 'dropOldest' },
      { kind: 'transform', id: 'middle', serviceRate: 50 },
      { kind: 'buffer', id: 'lower', capacity: 800, whenFull: 'dropNewest' },
      { kind: 'sink', id: 'out', serviceRate: 10 },
    ],
    ['in > upper', 'upper > middle', 'middle > lower', 'lower > out'],
  )
  const { buffers } = simulate(graph)
  return ['upper', 'lower'].map((id) => buffers.find(({ node }) => node === id)?.dropped)
}

test('of two buffers that drop the lower one fills first, and leaves the upper one what remains', () => {
  assert.deepEqual(twoDropping(700), [0, 0])
  assert.deepEqual(twoDropping(1_000), [0, 40])
  assert.deepEqual(twoDropping(2_000), [50, 40])
})

/** No sum of rooms is equal to a window: on that edge a drop may or may not be. */
const chains = fc
  .record({
    rate: fc.integer({ min: 10, max: 200 }),
    window: fc.constantFrom(110, 1_010, 6_100, 12_100, 20_200),
    stages: fc.array(
      fc.record({
        serviceRate: fc.integer({ min: 10, max: 200 }),
        selectivity: fc.constantFrom(0.5, 1, 1, 3),
        capacity: fc.constantFrom(undefined, 50, 900, 5_000),
        whenFull: fc.constantFrom('block', 'dropOldest', 'dropNewest'),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  })
  .map(({ rate, window, stages }): GraphData => {
    const nodes: GraphNode[] = [{ kind: 'source', id: 'in', rate, window }]
    stages.forEach(({ serviceRate, selectivity, capacity, whenFull }, index) => {
      if (capacity !== undefined) nodes.push({ kind: 'buffer', id: `buffer${index}`, capacity, whenFull })
      nodes.push({ kind: 'transform', id: `stage${index}`, serviceRate, selectivity })
    })
    nodes.push({ kind: 'sink', id: 'out' })
    const edges = nodes.slice(1).map(({ id }, index): GraphEdge => ({ from: nodes[index]!.id, to: id }))
    return { name: 'random', nodes, edges, clusters: [] }
  })

test('random chains with buffers that drop settle over time as simulated', () => {
  fc.assert(
    fc.property(chains, (graph) => {
      const found = forecast(graph, { seconds: 1e7, fromSeconds: 9e6 })
      for (const [index, { id, in: into }] of simulate(graph).nodes.entries()) {
        assert.equal(found.nodes[index]?.id, id)
        near(found.nodes[index]?.in, into, 0.01)
      }
    }),
    { numRuns: 150 },
  )
})
