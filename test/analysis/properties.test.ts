/** What holds for every graph. A failing run prints its seed and the smallest graph that fails. */
import { resolveNode } from '#src/graph/resolve.js'
import { resolved } from '#src/analysis/resolved.js'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bottlenecks, maxRate } from '#src/analysis/flow/capacity.js'
import { latency } from '#src/analysis/flow/latency.js'
import { sharesOf } from '#src/analysis/flow/shares.js'
import { simulate, type Simulation } from '#src/analysis/flow/simulate.js'
import { measuredGraph } from '#src/analysis/live/measured.js'
import { changeGraph } from '#src/analysis/flow/what-if.js'
import fc from 'fast-check'
import { type GraphData } from 'millrace'
import { validate } from 'millrace/analysis'
import { pipelines } from './graphs.js'
import { measured } from './measurements.js'

function same(actual: number, expected: number, what = ''): void {
  assert.ok(
    actual === expected || Math.abs(actual - expected) <= 1e-6 * Math.max(1, Math.abs(expected)),
    `${what} ${actual} is not ${expected}`,
  )
}
function notLess(actual: number, least: number, what = ''): void {
  assert.ok(actual >= least * (1 - 1e-6), `${what} ${actual} is less than ${least}`)
}
/** With one source, back-pressure leaves no choice of whom to serve. */
const single = pipelines.map((graph) => ({
  ...graph,
  nodes: graph.nodes.map((node) => (node.kind === 'source' && node.id !== 'in0' ? { ...node, rate: 0 } : node)),
}))
const cores = fc.constantFrom(Infinity, 1, 2, 4)

test('random pipelines are sound', () => {
  fc.assert(
    fc.property(pipelines, (graph) => {
      assert.deepEqual(
        validate(graph).filter(({ severity, code }) => severity === 'error' && code !== 'EDGE_DUPLICATE'),
        [],
      )
    }),
  )
})

test('flow is conserved: what comes in over edges is taken, and what is taken leaves by the shares', () => {
  fc.assert(
    fc.property(pipelines, cores, (graph, available) => {
      const found = simulate(graph, { cores: available })
      const shares = sharesOf(resolved(graph))
      for (const node of found.nodes) {
        const into = found.edges.filter(({ to }) => to === node.id).reduce((sum, { rate }) => sum + rate, 0)
        if (node.kind !== 'source') same(node.in, into, node.id)
        const out = found.edges.filter(({ from }) => from === node.id)
        for (const { index, rate } of out) same(rate, node.in * (shares[index]?.gain ?? 0), `edge ${index}`)
        if (node.kind === 'conditional') same(node.out, node.in, node.id)
      }
    }),
  )
})

test('no stage and no core is over its limit, and either a source sends all or something is full', () => {
  fc.assert(
    fc.property(pipelines, cores, (graph, available) => {
      const found = simulate(graph, { cores: available })
      for (const { in: into, serviceRate } of found.nodes) assert.ok(into <= serviceRate * (1 + 1e-6))
      assert.ok(found.cores.used <= available * (1 + 1e-6))
      for (const { offered, rate, limit } of found.sources) {
        assert.ok(rate <= offered * (1 + 1e-9))
        if (limit.by === 'rate') same(rate, offered)
        else if (limit.by === 'cores') same(found.cores.used, available)
        else same(found.nodes.find(({ id }) => id === limit.node)?.utilisation ?? 0, 1)
      }
    }),
  )
})

test('prediction is monotone: more workers, shorter service, more cores or a higher rate never give less', () => {
  fc.assert(
    fc.property(single, cores, fc.nat(20), (graph, available, pick) => {
      const before = simulate(graph, { cores: available }).throughput
      const stages = graph.nodes.filter(({ kind }) => kind === 'transform')
      const stage = stages[pick % stages.length]
      assert.ok(stage)
      const after = (change: object): number =>
        throughput(changeGraph(graph, { nodes: { [stage.id]: change } }), available)
      notLess(after({ concurrency: resolveNode(stage).concurrency + 1 }), before, 'workers')
      notLess(after({ latencyMs: (stage.latencyMs ?? 0) / 2 }), before, 'latency')
      notLess(throughput(graph, available * 2), before, 'cores')
      const rate = graph.nodes[0]?.rate ?? 0
      notLess(throughput(changeGraph(graph, { nodes: { in0: { rate: rate * 2 } } }), available), before, 'rate')
    }),
  )
})

test('with several sources, more room never makes the one worst served worse off', () => {
  fc.assert(
    fc.property(pipelines, fc.nat(20), (graph, pick) => {
      const stages = graph.nodes.filter(({ kind }) => kind === 'transform')
      const stage = stages[pick % stages.length]
      assert.ok(stage)
      const more = changeGraph(graph, { nodes: { [stage.id]: { concurrency: resolveNode(stage).concurrency + 1 } } })
      notLess(worst(simulate(more)), worst(simulate(graph)))
    }),
  )
})

test('scaling all rates scales the answer', () => {
  fc.assert(
    fc.property(pipelines, cores, fc.double({ min: 0.1, max: 10, noNaN: true }), (graph, available, factor) => {
      const scaled = {
        ...graph,
        nodes: graph.nodes.map((node) => ({
          ...node,
          ...(node.rate === undefined ? {} : { rate: node.rate * factor }),
          ...(node.latencyMs === undefined ? {} : { latencyMs: node.latencyMs / factor }),
        })),
      }
      const before = simulate(graph, { cores: available })
      const after = simulate(scaled, { cores: available })
      after.nodes.forEach((node, index) => {
        same(node.in, (before.nodes[index]?.in ?? 0) * factor, node.id)
        same(node.utilisation, before.nodes[index]?.utilisation ?? 0, node.id)
      })
      assert.equal(after.bottleneck?.by, before.bottleneck?.by)
    }),
  )
})

test('the largest rate of a source can be kept up, and a little more cannot', () => {
  fc.assert(
    fc.property(single, cores, (graph, available) => {
      const [source] = maxRate(graph, { cores: available }).sources
      assert.ok(source)
      const at = (rate: number): number => throughput(changeGraph(graph, { nodes: { in0: { rate } } }), available)
      same(at(source.max), source.max)
      same(at(source.max * 1.5), source.max)
    }),
  )
})

test('lifting the first bottleneck alone gives what is promised', () => {
  fc.assert(
    fc.property(single, (graph) => {
      const [first] = bottlenecks(graph)
      if (first?.node === undefined || !first.saturated) return
      same(
        throughput(changeGraph(graph, { nodes: { [first.node]: { concurrency: 100_000 } } })),
        first.throughputWithout,
      )
    }),
  )
})

test('ways are ordered: the fastest, the slowest, the slowest with retries', () => {
  fc.assert(
    fc.property(pipelines, (graph) => {
      for (const { minMs, maxMs, criticalMs, queueMs } of latency(graph).sinks) {
        assert.ok(minMs <= maxMs * (1 + 1e-9) && maxMs <= criticalMs * (1 + 1e-9) && queueMs >= -1e-9)
      }
    }),
  )
})

test('a graph measured exactly as predicted predicts the same again', () => {
  fc.assert(
    fc.property(pipelines, (graph) => {
      const before = simulate(graph)
      const after = simulate(measuredGraph(graph, measured(graph)))
      after.nodes.forEach((node, index) => same(node.in, before.nodes[index]?.in ?? 0, node.id))
    }),
  )
})

test('the same graph gives the same bytes', () => {
  fc.assert(
    fc.property(pipelines, (graph) => {
      assert.equal(JSON.stringify(simulate(graph)), JSON.stringify(simulate(structuredClone(graph))))
      assert.equal(JSON.stringify(latency(graph)), JSON.stringify(latency(structuredClone(graph))))
    }),
    { numRuns: 30 },
  )
})

function throughput(graph: GraphData, available = Infinity): number {
  return simulate(graph, { cores: available }).throughput
}

/** The least rate among the sources, by the workers of each. */
function worst({ sources }: Simulation): number {
  return Math.min(...sources.map(({ rate }) => rate))
}
