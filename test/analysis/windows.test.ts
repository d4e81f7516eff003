import assert from 'node:assert/strict'
import { test } from 'node:test'
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
  near(queue?.timeToFullS, 500 / 48)
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
