import type { EdgeMeasurement, Measurements, NodeMeasurement } from '../analysis/types.ts'
import type { LinkPlan, Plan, PortPlan, StagePlan } from '../plan/types.ts'
import { portsOf } from './ports.ts'
import type { LaneSnapshot, Snapshot, StageSnapshot } from './snapshot.ts'
import { overlapOf, serviceNs, stageTime, workersOf } from './stage-time.ts'

/** Edges whose lanes are at least so much as full as the fullest share the blame for their writer's waiting. */
const NEARLY_AS_FULL = 0.5

/**
 * What the live analysis takes, made of a snapshot: over the time since the start, or since the snapshot `before`.
 * Percentiles of service times are those since the start in both cases. A worker's time without credit is not kept by edge:
 * it is given to the edges whose lanes are fullest at the moment of `after`. Cost: linear in workers and lanes.
 */
export function measurements(plan: Plan, after: Snapshot, before?: Snapshot): Measurements {
  const seconds = (after.elapsedMs - (before?.elapsedMs ?? 0)) / 1000
  const shown = plan.nodeStages
  const dropped = new Map<string, number>()
  for (const { index, from, dropped: lost } of after.edges)
    dropped.set(from, (dropped.get(from) ?? 0) + lost - (before?.edges[index]?.dropped ?? 0))
  const nodes = shown.map((stage): [string, NodeMeasurement] => {
    const { node } = stage
    const lost = dropped.get(node) ?? 0
    return [node, measureNode(stage, after.stages[node]!, before?.stages[node], seconds, lost)]
  })
  const blocked = new Map(shown.flatMap((stage, i) => [...blockedEdges(plan, stage, after, nodes[i]![1].blocked)]))
  const edges = after.edges.map((edge): EdgeMeasurement => {
    const earlier = before?.edges[edge.index]
    return {
      index: edge.index,
      records: edge.records - (earlier?.records ?? 0),
      dropped: edge.dropped - (earlier?.dropped ?? 0),
      queued: edge.queued,
      capacity: edge.capacity,
      blockedShare: blocked.get(edge.index) ?? 0,
      queuedBefore: earlier?.queued ?? 0,
    }
  })
  return { seconds, nodes: Object.fromEntries(nodes), edges }
}

function measureNode(
  stage: StagePlan,
  now: StageSnapshot,
  was: StageSnapshot | undefined,
  seconds: number,
  dropped: number,
): NodeMeasurement {
  const { service } = now.histograms
  // No `...` of numbers: see `counts.ts`.
  const { busy, starved, blocked, limited } = stageTime(stage, now, was, seconds)
  const overlap = overlapOf(stage, now)
  const calls = (service?.count ?? 0) - (was?.histograms.service?.count ?? 0)
  return {
    workers: workersOf(now),
    in: now.in - (was?.in ?? 0),
    out: now.out - (was?.out ?? 0),
    filtered: now.filtered - (was?.filtered ?? 0),
    failed: now.failed - (was?.failed ?? 0),
    deadLettered: now.deadLettered - (was?.deadLettered ?? 0),
    dropped,
    retried: now.retried - (was?.retried ?? 0),
    inFlight: now.inFlight,
    inFlightBefore: was?.inFlight ?? 0,
    done: now.done - (was?.done ?? 0),
    injected: now.injected - (was?.injected ?? 0),
    busy,
    starved,
    blocked,
    limited,
    serviceMs: calls === 0 ? 0 : (serviceNs(now) - serviceNs(was)) / overlap / calls / 1e6,
    p50Ms: (service?.p50 ?? 0) / overlap / 1e6,
    p99Ms: (service?.p99 ?? 0) / overlap / 1e6,
  }
}

/** The time that a stage's workers waited for credit, on the edges out of it: on those with the fullest lanes behind them. */
function blockedEdges(plan: Plan, stage: StagePlan, { lanes }: Snapshot, blocked: number): ReadonlyMap<number, number> {
  if (blocked === 0) return NONE
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

const NONE: ReadonlyMap<number, number> = new Map()

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
