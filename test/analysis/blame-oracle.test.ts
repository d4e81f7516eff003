/** Blame against its oracle: `whatIf` on the measured graph. A failing run prints its seed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type GraphData, type GraphEdge, type GraphNode } from 'millrace'
import { blame, measuredGraph, whatIf } from 'millrace/analysis'
import { played } from './events-model.js'

/** Chains of stages with up to three loops of retries among them, two of which may share a stage. */
const loops = fc
  .record({
    latencies: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 5 }),
    retries: fc.array(fc.record({ from: fc.nat(4), back: fc.nat(4), ratio: fc.constantFrom(0.1, 0.2, 0.3) }), {
      maxLength: 3,
    }),
  })
  .map(({ latencies, retries }): GraphData => {
    const last = latencies.length - 1
    const nodes: GraphNode[] = [
      { kind: 'source', id: 'in' },
      ...latencies.map((latencyMs, i): GraphNode => ({ kind: 'transform', id: `s${i}`, latencyMs })),
      { kind: 'sink', id: 'out' },
    ]
    const edges: GraphEdge[] = [{ from: 'in', to: 's0', maxDemand: 16 }]
    latencies.forEach((_, i) => edges.push({ from: `s${i}`, to: i === last ? 'out' : `s${i + 1}`, maxDemand: 16 }))
    const tried = new Set<number>()
    for (const { from, back, ratio } of retries) {
      if (from > last || back > from || tried.has(from)) continue
      tried.add(from)
      // The way back holds all that a long run may send over it, so that nothing stands still.
      edges.push({ from: `s${from}`, to: `s${back}`, pathType: 'retry', ratio, maxDemand: 100_000 })
    }
    return { name: 'loops', nodes, edges, clusters: [] }
  })

/** What half the service time of a stage makes of the throughput. */
function gainOf(now: GraphData, node: string): number {
  const latencyMs = now.nodes.find(({ id }) => id === node)!.latencyMs ?? 0
  return whatIf(now, { nodes: { [node]: { latencyMs: latencyMs / 2 } } }).throughput.factor
}

test('the stage that is blamed is one whose speed-up changes something, wherever there is one', () => {
  const causes = new Set<string>()
  fc.assert(
    fc.property(loops, (graph) => {
      const measurements = played(graph, 20_000)
      const now = measuredGraph(graph, measurements)
      const { root, cause } = blame(graph, measurements)
      causes.add(cause)
      const gains = graph.nodes.filter(({ kind }) => kind === 'transform').map(({ id }) => gainOf(now, id))
      if (Math.max(...gains) < 1.03) return
      assert.ok(
        root !== undefined && gainOf(now, root) > 1.01,
        JSON.stringify({
          root,
          cause,
          gains,
          edges: graph.edges,
          latencies: graph.nodes.map(({ latencyMs }) => latencyMs),
          stages: measurements.nodes,
        }),
      )
    }),
    { numRuns: 150 },
  )
  assert.ok(causes.has('full'))
})

test('where two loops share a stage and others are nearly full, the one that limits is blamed', () => {
  const graph: GraphData = {
    name: 'two loops',
    nodes: [
      { kind: 'source', id: 'in' },
      { kind: 'transform', id: 'a', latencyMs: 11.7 },
      { kind: 'transform', id: 'shared', latencyMs: 9.8 },
      { kind: 'transform', id: 'b', latencyMs: 13.3 },
      { kind: 'sink', id: 'out' },
    ],
    edges: [
      { from: 'in', to: 'a', maxDemand: 8 },
      { from: 'a', to: 'shared', maxDemand: 8 },
      { from: 'shared', to: 'b', maxDemand: 8 },
      { from: 'b', to: 'out' },
      { from: 'shared', to: 'a', pathType: 'retry', ratio: 0.3, maxDemand: 100_000 },
      { from: 'b', to: 'shared', pathType: 'retry', ratio: 0.3, maxDemand: 100_000 },
    ],
    clusters: [],
  }
  const measurements = played(graph, 60_000)
  const now = measuredGraph(graph, measurements)
  const { root, stages } = blame(graph, measurements)
  assert.deepEqual(
    stages.filter(({ isFull }) => isFull).map(({ node }) => node),
    ['a', 'shared'],
  )
  assert.equal(root, 'shared')
  assert.ok(gainOf(now, 'shared') > 1.01 && gainOf(now, 'a') < 1.001 && gainOf(now, 'b') < 1.001)
})
