/** Buffers of one graph share their solutions; each must get what it would get alone. A failing run prints its seed. */
import type { ResolvedGraph } from '#src/graph/resolve.js'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buffers, buffersOf } from '#src/analysis/flow/buffers.js'
import { coreLoad, stepToFull } from '#src/analysis/flow/filling.js'
import { cutTraffic, feeders, inject, type Model } from '#src/analysis/flow/model.js'
import { steadyModel } from '#src/analysis/flow/overflow.js'
import { predict, type Prediction } from '#src/analysis/flow/predict.js'
import { times } from '#src/analysis/flow/times.js'
import { traffic } from '#src/analysis/flow/traffic.js'
import fc from 'fast-check'
import type { GraphData, GraphEdge, GraphNode } from 'millrace'

/** What the formulas of docs/analysis.md give for one buffer, each solved over the whole graph. */
function flowAlone(model: Model, prediction: Prediction, node: number): Record<string, number> {
  const visits = visitsBelow(model, node)
  const out = prediction.leaving[node]!
  const others = prediction.into.map((rate, other) => Math.max(0, rate - times(out, visits[other]!)))
  const { capacity } = model.graph.node(node)
  return {
    offered: offeredAlone(model, prediction, node, visits),
    drainRate: model.graph.out(node).length === 0 ? 0 : stepToFull(model, others, visits),
    reach: Math.min(capacity, reachAlone(model, node)),
  }
}

function visitsBelow(model: Model, node: number): Float64Array {
  const outside = new Float64Array(model.graph.nodes.length)
  inject(model, node, 1, outside)
  if (!model.traffic.isOnLoop(node)) return model.traffic.solve(outside)
  return cutTraffic(model.graph, model.shares, new Set([...model.parting, node])).solve(outside)
}

function offeredAlone(model: Model, prediction: Prediction, node: number, visits: Float64Array): number {
  const counts = (other: number): boolean => visits[other] === 0
  const isHeldBack = prediction.met.some(({ by, node: full = -1 }) =>
    by === 'cores' ? coreLoad(model, visits) > 0 : !counts(full),
  )
  const above = feeders(model, [node])
  const feeds = prediction.origins.some((origin) => above.has(origin.node))
  return (isHeldBack && feeds ? predict(model, { counts }) : prediction).into[node]!
}

function reachAlone({ graph, shares, sources }: Model, node: number): number {
  const up: ResolvedGraph = {
    ...graph,
    in: (each) => graph.out(each),
    out: (each) => graph.in(each),
    from: (edge) => graph.to(edge),
    to: (edge) => graph.from(edge),
  }
  const equations = traffic(up, (edge) => (graph.from(edge) === node ? 0 : shares[edge]!.gain))
  const there = new Float64Array(graph.nodes.length)
  there[node] = 1
  const records = equations.solve(there)
  const share = equations.solve(there, 1)
  return sources.reduce((sum, { node: source }) => {
    const { window, concurrency } = graph.node(source)
    return share[source]! > 0 ? sum + (window * concurrency * records[source]!) / share[source]! : sum
  }, 0)
}

function same(graph: GraphData, cores: number): void {
  const model = steadyModel(graph, { cores })
  const prediction = predict(model)
  for (const found of buffersOf(model, prediction)) {
    for (const [figure, expected] of Object.entries(flowAlone(model, prediction, model.graph.number(found.node)))) {
      const actual = found[figure as keyof typeof found] as number
      const isNear = actual === expected || Math.abs(actual - expected) <= 1e-7 * Math.max(1e-3, Math.abs(expected))
      assert.ok(isNear, `${figure} of ${found.node}: ${actual} is not ${expected}`)
    }
  }
}

const stages = fc.record(
  {
    kind: fc.constantFrom('transform', 'sink'),
    serviceRate: fc.constantFrom(10, 20, 50, 77, 100),
    selectivity: fc.constantFrom(0.1, 0.5, 2, 3),
    cpu: fc.boolean(),
  },
  { requiredKeys: ['kind'] },
)
const buffered = fc.record(
  {
    kind: fc.constant('buffer'),
    capacity: fc.constantFrom(5, 100, 100_000),
    whenFull: fc.constantFrom('block', 'block', 'dropOldest', 'dropNewest'),
  },
  { requiredKeys: ['kind'] },
)
const others = fc.record({ kind: fc.constantFrom('conditional', 'merge') })
const sources = fc.record(
  {
    kind: fc.constant('source'),
    rate: fc.integer({ min: 1, max: 200 }),
    rateLimit: fc.constant(50),
    concurrency: fc.constantFrom(1, 2),
    window: fc.constantFrom(5, 50, 500),
  },
  { requiredKeys: ['kind'] },
)
const ties = fc.record(
  {
    from: fc.nat(14),
    to: fc.nat(14),
    ratio: fc.constantFrom(0.05, 0.1, 0.3, 0.5, 1),
    pathType: fc.constantFrom('retry', 'retry', 'error', 'dead_letter'),
    when: fc.constantFrom('a', 'b'),
  },
  { requiredKeys: ['from', 'to'] },
)
/** Anything goes: loops that grow, edges without a share, buffers in rings. Half of them hang on one long chain. */
const graphs = fc
  .record({
    isChain: fc.boolean(),
    sources: fc.array(sources, { minLength: 1, maxLength: 3 }),
    nodes: fc.array(fc.oneof(stages, buffered, buffered, others), { minLength: 2, maxLength: 12 }),
    ties: fc.array(ties, { maxLength: 18 }),
  })
  .map((made): GraphData => {
    const nodes = [...made.sources, ...made.nodes].map((node, number) => ({ id: `n${number}`, ...node }))
    const first = made.sources.length
    const chain = made.nodes.map((_, index) => ({ from: index === 0 ? 0 : first + index - 1, to: first + index }))
    const tied = made.ties
      .slice(0, made.isChain ? 4 : undefined)
      .map((tie) => ({ ...tie, from: tie.from % nodes.length, to: first + (tie.to % made.nodes.length) }))
    const edges = [...(made.isChain ? chain : []), ...tied].map(({ from, to, ...rest }): GraphEdge => ({
      from: `n${from}`,
      to: `n${to}`,
      ...rest,
    }))
    return { name: 'random', nodes, edges, clusters: [] }
  })

test('each buffer of a random graph gets what it would get alone', () => {
  fc.assert(
    fc.property(graphs, fc.constantFrom(Infinity, 4, 0.2, 0.05), (graph, cores) => same(graph, cores)),
    { numRuns: 1_000 },
  )
})

test('ten thousand buffers in a chain, and in a ring, are each held up by the stage after them', () => {
  const size = 10_000
  const ids = Array.from({ length: size }, (_, index) => index)
  const graph: GraphData = {
    name: 'long',
    nodes: [
      { kind: 'source', id: 'in', rate: 1_000 },
      ...ids.flatMap((index): GraphNode[] => [
        { kind: 'buffer', id: `queue${index}` },
        { kind: 'transform', id: `stage${index}`, serviceRate: 900 - index / 100 },
      ]),
    ],
    edges: [
      { from: 'in', to: 'queue0' },
      ...ids.flatMap((index): GraphEdge[] => [
        { from: `queue${index}`, to: `stage${index}` },
        ...(index + 1 < size ? [{ from: `stage${index}`, to: `queue${index + 1}` }] : []),
      ]),
    ],
    clusters: [],
  }
  const ring = { from: `stage${size - 1}`, to: 'queue0', pathType: 'retry' as const, ratio: 0.5 }
  const last = 900 - (size - 1) / 100
  for (const [edges, turns] of [[graph.edges, 1] as const, [[...graph.edges, ring], 2] as const]) {
    const found = new Map(buffers({ ...graph, edges }).map((each) => [each.node, each]))
    for (const index of ids) {
      const { offered, drainRate } = found.get(`queue${index}`)!
      // In a chain the stage before limits what comes; in a ring all stages are below each buffer.
      const before = index === 0 ? 1_000 : 900 - (index - 1) / 100
      assert.ok(Math.abs(offered - (turns === 1 ? before : 2_000)) < 1e-6, `${index}: ${offered}`)
      assert.ok(Math.abs(drainRate - last) < 1e-6, `${index}: ${drainRate}`)
    }
  }
})
