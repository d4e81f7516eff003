import type { EdgeMeasurement, Measurements, NodeMeasurement } from '../analysis/types.ts'
import type { LinkPlan, Plan, PortPlan, StagePlan } from '../plan/types.ts'
import type { HistogramSummary } from './histogram-read.ts'
import type { LaneSnapshot, Snapshot, StageSnapshot } from './snapshot.ts'

/** Edges whose lanes are at least so much as full as the fullest share the blame for their writer's waiting. */
const NEARLY_AS_FULL = 0.5

/**
 * What the live analysis takes, made of a snapshot: over the time since the start, or since the snapshot `before`.
 * Percentiles of service times are those since the start in both cases. A worker's time without credit is not kept by edge:
 * it is given to the edges whose lanes are fullest at the moment of `after`. Cost: linear in workers and lanes.
 */
export function measurements(plan: Plan, after: Snapshot, before?: Snapshot): Measurements {
  const seconds = (after.elapsedMs - (before?.elapsedMs ?? 0)) / 1000
  const shown = plan.stages.filter(({ isHidden }) => !isHidden)
  const nodes = shown.map((stage) => [stage.node, measureNode(stage, after, before, seconds)] as const)
  const blocked = new Map(shown.flatMap((stage, i) => [...blockedEdges(plan, stage, after, nodes[i]![1].blocked)]))
  const edges = after.edges.map(({ index, records, dropped, queued, capacity }): EdgeMeasurement => {
    const earlier = before?.edges[index]
    return {
      index,
      records: records - (earlier?.records ?? 0),
      dropped: dropped - (earlier?.dropped ?? 0),
      queued,
      capacity,
      blockedShare: blocked.get(index) ?? 0,
      ...(earlier === undefined ? {} : { queuedBefore: earlier.queued }),
    }
  })
  return { seconds, nodes: Object.fromEntries(nodes), edges }
}

function measureNode(
  { node, concurrency, input }: StagePlan,
  after: Snapshot,
  before: Snapshot | undefined,
  seconds: number,
): NodeMeasurement {
  const [now, earlier] = [after.stages[node]!, before?.stages[node]]
  const since = (of: (stage: StageSnapshot) => number): number => of(now) - (earlier === undefined ? 0 : of(earlier))
  const dropped = (snapshot?: Snapshot): number =>
    snapshot?.edges.reduce((sum, edge) => (edge.from === node ? sum + edge.dropped : sum), 0) ?? 0
  // Calls that overlap share their worker's time.
  const overlap = now.workers.some(({ isAsync }) => isAsync) ? (input?.maxInFlight ?? 1) : 1
  const { service } = now.histograms
  const calls = since(({ histograms }) => histograms.service?.count ?? 0)
  const serviceNs = since(({ histograms }) => sumOf(histograms.service)) / overlap
  const share = (of: 'busyMs' | 'starvedMs' | 'blockedMs' | 'limitedMs'): number => {
    const sum = (stage: StageSnapshot): number => stage.workers.reduce((total, worker) => total + worker[of], 0)
    return seconds === 0 ? 0 : Math.min(1, Math.max(0, since(sum)) / (1000 * seconds * concurrency))
  }
  return {
    workers: concurrency,
    in: since((stage) => stage.in),
    out: since((stage) => stage.out),
    filtered: since((stage) => stage.filtered),
    failed: since((stage) => stage.failed),
    deadLettered: since((stage) => stage.deadLettered),
    dropped: dropped(after) - dropped(before),
    retried: since((stage) => stage.retried),
    inFlight: now.inFlight,
    done: since((stage) => stage.done),
    busy: overlap === 1 ? share('busyMs') : seconds === 0 ? 0 : Math.min(1, serviceNs / (1e9 * seconds * concurrency)),
    starved: share('starvedMs'),
    blocked: share('blockedMs'),
    limited: share('limitedMs'),
    serviceMs: calls === 0 ? 0 : serviceNs / calls / 1e6,
    p50Ms: (service?.p50 ?? 0) / overlap / 1e6,
    p99Ms: (service?.p99 ?? 0) / overlap / 1e6,
    ...(now.injected === 0 ? {} : { injected: since((stage) => stage.injected) }),
    ...(earlier === undefined ? {} : { inFlightBefore: earlier.inFlight }),
  }
}

function sumOf(histogram: HistogramSummary | undefined): number {
  return histogram === undefined ? 0 : histogram.mean * histogram.count
}

/** The time that a stage's workers waited for credit, on the edges out of it: on those with the fullest lanes behind them. */
function blockedEdges(plan: Plan, stage: StagePlan, { lanes }: Snapshot, blocked: number): ReadonlyMap<number, number> {
  const [root] = stage.nodes
  const ports = new Map(portsOf(root!).map((port) => [port.edge, port]))
  const fills = [...ports].map(([edge, port]) => {
    const links = new Set(linksBehind(stage, port))
    return [edge, Math.max(0, ...lanes.filter(({ link }) => links.has(link)).map(fillOf))] as const
  })
  const fullest = Math.max(0, ...fills.map(([, fill]) => fill))
  const blamed = fills.filter(([, fill]) => fill >= NEARLY_AS_FULL * fullest)
  return new Map(blamed.map(([edge]) => [edge, blocked / blamed.length]))
}

function fillOf({ queued, capacity, usedBytes, ringBytes }: LaneSnapshot): number {
  return Math.max(queued / capacity, usedBytes / ringBytes)
}

/** The links that records can come to by a port, through the nodes that the same workers run. */
function linksBehind({ nodes }: StagePlan, port: PortPlan): readonly LinkPlan['index'][] {
  const links: number[] = []
  const ports = new Set([port])
  for (const { link, node } of ports) {
    if (link !== undefined) links.push(link)
    else if (node !== undefined) for (const next of portsOf(nodes[node]!)) ports.add(next)
  }
  return links
}

function portsOf({ out, branches, error, deadLetter, retry }: StagePlan['nodes'][number]): readonly PortPlan[] {
  return [...out, ...branches.flatMap(({ ports }) => ports), ...error, ...deadLetter, ...retry]
}
