import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { EDGE_TREATMENT, NODE_TREATMENT, RUN_TREATMENT, type Treatment } from '#src/analysis/treatment.js'
import { BATCH_OPTIONS, EDGE_OPTIONS, NODE_OPTIONS, RUN_OPTIONS } from '#src/options/index.js'
import { type GraphData, type GraphEdge, type GraphNode } from 'millrace'
import { bottlenecks, buffers, deadlock, forecast, latency, simulate } from 'millrace/analysis'

/** A pipeline in which every option has something to change: a loop, a buffer that overflows, copies, batches, branches. */
function pipeline(changes: { node?: string; edge?: number; to?: object } = {}): GraphData {
  const nodes: GraphNode[] = [
    { kind: 'source', id: 'in', rate: 500, window: 200 },
    { kind: 'transform', id: 'a', latencyMs: 4, concurrency: 2 },
    { kind: 'buffer', id: 'queue', capacity: 20 },
    { kind: 'transform', id: 'b', latencyMs: 5 },
    { kind: 'sink', id: 'out', latencyMs: 1 },
    { kind: 'sink', id: 'side', latencyMs: 1, concurrency: 2, batch: { size: 10, timeoutMs: 50 } },
  ]
  const edges: GraphEdge[] = [
    { from: 'in', to: 'a' },
    { from: 'a', to: 'queue' },
    { from: 'queue', to: 'b' },
    { from: 'b', to: 'out' },
    { from: 'b', to: 'b', pathType: 'retry', ratio: 0.1 },
    { from: 'b', to: 'side', when: 'side', ratio: 0.5 },
    { from: 'b', to: 'a', when: 'again', ratio: 0.05 },
  ]
  return {
    name: 'pipeline',
    nodes: nodes.map((node) => (node.id === changes.node ? { ...node, ...changes.to } : node)),
    edges: edges.map((edge, index) => (index === changes.edge ? { ...edge, ...changes.to } : edge)),
    clusters: [],
  }
}

/** All that is predicted of a graph, but for what is assumed. */
function predicted(graph: GraphData): unknown {
  const { assumptions: _, ...flow } = simulate(graph, { cores: 2 })
  const { assumptions: __, ...loops } = deadlock(graph)
  const later = forecast(graph, { seconds: 3 })
  return { flow, loops, later, times: latency(graph), ranks: bottlenecks(graph, { cores: 2 }), held: buffers(graph) }
}

/** For each modelled option a value that has to change what is predicted. */
const CHANGES: Readonly<Record<string, { node?: string; edge?: number; to: object; beside?: object }>> = {
  concurrency: { node: 'b', to: { concurrency: 3 } },
  latencyMs: { node: 'b', to: { latencyMs: 1 } },
  serviceRate: { node: 'b', to: { serviceRate: 17 } },
  cpu: { node: 'b', to: { cpu: true } },
  rate: { node: 'in', to: { rate: 20 } },
  rateLimit: { node: 'in', to: { rateLimit: 20 } },
  window: { node: 'in', to: { window: 1 } },
  chunk: { node: 'in', to: { chunk: 50 } },
  push: { node: 'in', to: { push: true, concurrency: 3 }, beside: { concurrency: 3 } },
  selectivity: { node: 'a', to: { selectivity: 2 } },
  mapBatch: { node: 'b', to: { mapBatch: (records: unknown[]) => records } },
  mapEach: { node: 'b', to: { mapEach: (records: unknown[]) => records } },
  maxInFlight: { node: 'b', to: { maxInFlight: 4 } },
  dispatch: { node: 'a', to: { dispatch: 'broadcast' } },
  capacity: { node: 'queue', to: { capacity: 7 } },
  whenFull: { node: 'queue', to: { whenFull: 'dropNewest' } },
  via: { node: 'queue', to: { via: { technology: 'nats', stream: 'queue' } } },
  'batch.size': { node: 'side', to: { batch: { size: 2, timeoutMs: 50 } } },
  'batch.timeoutMs': { node: 'side', to: { batch: { size: 10, timeoutMs: 1 } } },
  pathType: { edge: 4, to: { pathType: 'normal' } },
  when: { edge: 5, to: { when: undefined } },
  ratio: { edge: 5, to: { ratio: 0.1 } },
  weight: { edge: 3, to: { weight: 30 } },
  maxDemand: { edge: 4, to: { maxDemand: 3 } },
  minDemand: { edge: 4, to: { minDemand: 3 } },
  laneBytes: { edge: 4, to: { laneBytes: 1_024 } },
  fuse: { edge: 3, to: { fuse: true } },
}

test('every option is modelled, or assumed in words, or has no part in predictions', () => {
  const { batch: _, ...own } = NODE_OPTIONS
  const nested = Object.keys(BATCH_OPTIONS).map((name) => `batch.${name}`)
  const ofLimits = ['rateLimit.by', 'rateLimit.keys']
  assert.deepEqual(Object.keys(NODE_TREATMENT).sort(), [...Object.keys(own), ...nested, ...ofLimits].sort())
  assert.deepEqual(Object.keys(EDGE_TREATMENT).sort(), Object.keys(EDGE_OPTIONS).sort())
  assert.deepEqual(Object.keys(RUN_TREATMENT).sort(), Object.keys(RUN_OPTIONS).sort())
})

const all = { ...NODE_TREATMENT, ...EDGE_TREATMENT }
const named = (is: Treatment['is']): string[] => Object.keys(all).filter((name) => Reflect.get(all, name).is === is)

for (const option of named('modelled')) {
  test(`predictions model \`${option}\``, () => {
    const { beside = {}, ...change } = CHANGES[option]!
    assert.notDeepEqual(predicted(pipeline(change)), predicted(pipeline({ ...change, to: beside })))
  })
}

/** For each assumed option a value, and where. */
const GIVEN: Readonly<Record<string, { node?: string; edge?: number; to: object }>> = {
  maxConcurrency: { node: 'b', to: { maxConcurrency: 4 } },
  scale: { node: 'b', to: { scale: { max: 4 } } },
  restart: { node: 'b', to: { restart: { maxRestarts: 1 } } },
  resourceLimits: { node: 'b', to: { resourceLimits: { stackSizeMb: 4 } } },
  ack: { node: 'in', to: { ack: () => undefined } },
  pollSize: { node: 'in', to: { pollSize: 5 } },
  pollMs: { node: 'in', to: { pollMs: 5 } },
  metaBytes: { node: 'in', to: { metaBytes: 64 } },
  preload: { node: 'b', to: { preload: () => [] } },
  ordered: { node: 'b', to: { ordered: true } },
  partitionBy: { node: 'b', to: { partitionBy: () => 1 } },
  retry: { node: 'b', to: { retry: { maxAttempts: 3 } } },
  breaker: { node: 'b', to: { breaker: { failures: 5 } } },
  timeoutMs: { node: 'b', to: { timeoutMs: 100 } },
  'rateLimit.by': { node: 'b', to: { rateLimit: { perSecond: 10, by: () => 1 } } },
  maxCrashes: { node: 'b', to: { maxCrashes: 1 } },
  'batch.by': { node: 'side', to: { batch: { size: 10, by: () => 1 } } },
  'batch.of': { node: 'side', to: { batch: { size: 10, by: () => 1, of: () => 10 } } },
  'batch.idleMs': { node: 'side', to: { batch: { size: 10, idleMs: 5 } } },
  'batch.weigh': { node: 'side', to: { batch: { size: 10, weigh: () => 1, weight: 5 } } },
  'batch.serial': { node: 'side', to: { batch: { size: 10, by: () => 1, serial: true } } },
  codec: { edge: 0, to: { codec: 'json' } },
  selector: { edge: 2, to: { selector: () => true } },
  nack: { edge: 4, to: { pathType: 'dead_letter', nack: true } },
}

for (const option of named('assumed')) {
  test(`what is not modelled of \`${option}\` is said in \`assumptions\``, () => {
    const says = (graph: GraphData): boolean =>
      simulate(graph).assumptions.some((text) => text.startsWith(`\`${option}\` of `))
    assert.deepEqual([says(pipeline()), says(pipeline(GIVEN[option]))], [false, true])
  })
}

test('docs/analysis.md lists every option with what predictions make of it', () => {
  const page = readFileSync(new URL('../../../docs/analysis.md', import.meta.url), 'utf8')
  const rows = [NODE_TREATMENT, EDGE_TREATMENT, RUN_TREATMENT].flatMap((table, i) =>
    Object.entries<Treatment>(table).map(
      ([name, { is, text }]) => `| ${['node', 'edge', 'run'][i]} | \`${name}\` | ${is} | ${text} |`,
    ),
  )
  assert.deepEqual(
    rows.filter((row) => !page.includes(row)),
    [],
  )
})
