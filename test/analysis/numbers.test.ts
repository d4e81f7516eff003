/** Every figure of every result is a number, or what JSON can carry. A failing run prints its seed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type GraphData, type Measurements } from 'millrace'
import {
  blame,
  bottlenecks,
  buffers,
  check,
  deadlock,
  drift,
  edgeShares,
  explain,
  forecast,
  latency,
  ledger,
  maxRate,
  measuredGraph,
  retryLoops,
  simulate,
  sizing,
  structure,
  whatIf,
} from 'millrace/analysis'
import { graphOf, anything } from './graphs.js'
import { measured as measuredAsPredicted } from './measurements.js'

/** What a run would have measured: it counts no records without end. */
function measured(graph: GraphData): Measurements {
  const text = JSON.stringify(measuredAsPredicted(graph), (_, value: unknown) => (value === Infinity ? 1e9 : value))
  return JSON.parse(text) as Measurements
}

/** Every answer about a graph. */
const ANSWERS: Readonly<Record<string, (graph: GraphData) => unknown>> = {
  simulate: (graph) => simulate(graph),
  onTwoCores: (graph) => simulate(graph, { cores: 2 }),
  forecast: (graph) => forecast(graph, { seconds: 10, fromSeconds: 5 }),
  latency: (graph) => latency(graph),
  buffers: (graph) => buffers(graph),
  bottlenecks: (graph) => bottlenecks(graph, { cores: 2 }),
  maxRate: (graph) => maxRate(graph),
  sizing: (graph) => sizing(graph),
  retryLoops: (graph) => retryLoops(graph),
  deadlock: (graph) => deadlock(graph),
  edgeShares: (graph) => edgeShares(graph),
  structure: (graph) => structure(graph),
  whatIf: (graph) => whatIf(graph, { cores: 3 }),
  blame: (graph) => blame(graph, measured(graph)),
  explain: (graph) => explain(graph, measured(graph)),
  drift: (graph) => drift(graph, measured(graph)),
  ledger: (graph) => ledger(graph, measured(graph)),
  check: (graph) => check(graph, { measurements: measured(graph) }),
  measuredGraph: (graph) => measuredGraph(graph, measured(graph)),
}

/** Where a value holds what is no figure: NaN, or less than nothing without end. */
function nonsense(value: unknown, at: string): string[] {
  if (typeof value === 'number') return Number.isNaN(value) || value === -Infinity ? [`${at}: ${value}`] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => nonsense(inner, `${at}.${key}`))
}

/** The same as JSON carries it: what has no limit is null, what is not known is absent. */
function carried(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, inner: unknown) => (inner === Infinity ? null : inner)))
}

test('no answer about any graph holds NaN, and JSON carries every answer', () => {
  fc.assert(
    fc.property(anything, (graph) => {
      for (const [name, answer] of Object.entries(ANSWERS)) {
        const found = answer(graph)
        assert.deepEqual(nonsense(found, name), [])
        assert.deepEqual(JSON.parse(JSON.stringify(found)), carried(found), name)
      }
    }),
    { numRuns: 150 },
  )
})

test('a sink to which nothing comes has no mean latency', () => {
  const graph = graphOf(
    ['source in', { kind: 'transform', id: 'a', latencyMs: 5 }, 'sink out', 'sink never'],
    ['in > a', 'a > out', { from: 'a', to: 'never', pathType: 'error' }],
  )
  const never = latency(graph).sinks.find(({ sink }) => sink === 'never')!
  assert.deepEqual([never.minMs, 'meanMs' in never], [5, false])
})

test('a forecast says that what nothing limits is without limit, as a simulation does', () => {
  const graph = graphOf(['source in', 'transform a', 'sink out'], ['in > a', 'a > out'])
  const { nodes } = forecast(graph, { seconds: 10, fromSeconds: 5 })
  assert.deepEqual(
    nodes.map((node) => node.in),
    simulate(graph).nodes.map((node) => node.in),
  )
  assert.equal(nodes[2]!.in, Infinity)
})

test('twenty thousand clusters in each other are looked at in no time', () => {
  const depth = 20_000
  const clusters = Array.from({ length: depth }, (_, i) =>
    i === 0 ? { id: 'c0' } : { id: `c${i}`, parent: `c${i - 1}` },
  )
  const graph: GraphData = {
    ...graphOf(
      ['source in', { kind: 'transform', id: 'a', latencyMs: 1, cluster: `c${depth - 1}` }, 'sink out'],
      ['in > a', 'a > out'],
    ),
    clusters,
  }
  assert.deepEqual(check(graph).problems, [])
  assert.deepEqual(simulate(graph).clusters[0]?.busiest, { node: 'a', utilisation: 1 })
  // A ring of them is a problem, and ends as well.
  const ring = clusters.map((cluster, i) => (i === 0 ? { ...cluster, parent: `c${depth - 1}` } : cluster))
  assert.deepEqual(
    check({ ...graph, clusters: ring }).problems.map(({ code }) => code),
    ['CLUSTER_LOOP'],
  )
  assert.equal(simulate({ ...graph, clusters: ring }).clusters.length, depth)
})
