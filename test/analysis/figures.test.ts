import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { compare } from '#src/analysis/live/rehearsal.js'
import * as analysis from 'millrace/analysis'
import deadLetters from '../../examples/walkthrough/3-dead-letters.js'
import iot from '../../examples/walkthrough/2-iot.js'
import { measured } from './measurements.js'

const page = readFileSync(new URL('../../../docs/analysis.md', import.meta.url), 'utf8')
const named = new Set([...page.matchAll(/`([^`\n]+)`/g)].flatMap(([, code = '']) => code.match(/\w+/g) ?? []))

/** Keys of a result, at every depth; those of lists by node id are ids, and no figures. */
function figures(value: unknown, ids: ReadonlySet<string>): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  const below = Object.values(value).flatMap((each) => figures(each, ids))
  return Array.isArray(value) ? below : [...Object.keys(value).filter((key) => !ids.has(key)), ...below]
}

test('docs/analysis.md says of every figure what it means', () => {
  for (const graph of [deadLetters, iot]) {
    const measurements = measured(graph)
    const ids = new Set(graph.nodes.map(({ id }) => id))
    const forecast = analysis.forecast(graph, { seconds: 1 })
    const bucket = { fromMs: 1, toMs: 1, count: 1 }
    const times = { service: [bucket], lane: [bucket], endToEnd: [bucket], isServedOnLane: false }
    const distributions = Object.fromEntries([...ids].map((id) => [id, times]))
    const results = {
      edgeShares: analysis.edgeShares(graph),
      structure: analysis.structure(graph),
      centrality: analysis.centrality(graph, { ways: true }),
      cutNodes: analysis.cutNodes(graph),
      coreNumbers: analysis.coreNumbers(graph),
      transitiveReduction: analysis.transitiveReduction(graph),
      path: analysis.path(graph, graph.edges[0]!.from, graph.edges[0]!.to),
      simulate: analysis.simulate(graph),
      forecast,
      bottlenecks: analysis.bottlenecks(graph),
      maxRate: analysis.maxRate(graph),
      whatIf: analysis.whatIf(graph, { cores: 1 }),
      retryLoops: analysis.retryLoops(graph),
      latency: analysis.latency(graph),
      sizing: analysis.sizing(graph),
      deadlock: analysis.deadlock(graph),
      measurements,
      drift: analysis.drift(graph, measurements),
      blame: analysis.blame(graph, measurements),
      ledger: analysis.ledger(graph, measurements),
      explain: analysis.explain(graph, measurements),
      compare: compare(graph, forecast, measurements),
      distributions,
      pathPercentiles: analysis.pathPercentiles(graph, distributions),
      diff: analysis.diff(graph, iot),
    }
    const missing = Object.entries(results).flatMap(([name, result]) =>
      [...new Set(figures(result, ids))].filter((key) => !named.has(key)).map((key) => `${name}: ${key}`),
    )
    assert.deepEqual(missing, [])
  }
})
