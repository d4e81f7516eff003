import { isStage, type ResolvedGraph, type ResolvedNode } from '../../graph/resolve.ts'
import { isFused } from '../loops/workers.ts'
import type { EdgeShare } from './shares.ts'

/** How fast one node can work, by what it declares. */
export interface NodeService {
  /** Records per second that the whole stage can serve; infinite where nothing limits it. */
  readonly rate: number
  /** That rate is its rate limit, not what its handler takes. */
  readonly isLimited: boolean
  /** Records that it can have in service at once. */
  readonly servers: number
  /** Time in service of one record, in ms. Of nodes without threads: the delay they add, which limits nothing. */
  readonly serviceMs: number
  /** Core time of one record, in seconds. */
  readonly coreSeconds: number
  /** Of a stage that others are fused to: the time, and the core time, that one record takes its worker with all of them. */
  readonly workerMs: number
  readonly workerCoreSeconds: number
  /** Of a node that runs in the workers of another: that one, and how often a record of it comes here. It has no rate of its own. */
  readonly fused?: { readonly head: number; readonly visits: number }
}

/** The services of all nodes, with what is fused in the workers of the stage before. Linear. */
export function servicesOf(
  graph: ResolvedGraph,
  shares: readonly EdgeShare[],
  overheadMs: number | Readonly<Record<string, number>> = 0,
): readonly NodeService[] {
  const overheadAt = (id: string): number => {
    if (typeof overheadMs === 'number') return overheadMs
    return Object.hasOwn(overheadMs, id) ? overheadMs[id]! : 0
  }
  const services = graph.nodes.map((node) => serviceOf(node, overheadAt(node.id)))
  const fuses = (node: number): number | undefined => graph.out(node).find((edge) => isFused(graph, edge))
  graph.nodes.forEach((_, head) => {
    // Chains end: a stage that is fused has one edge into it, so one that is not fused begins no ring.
    if (graph.in(head).some((edge) => isFused(graph, edge)) || fuses(head) === undefined) return
    let visits = 1
    let [fusedMs, fusedCoreSeconds] = [0, 0]
    for (let edge = fuses(head); edge !== undefined; edge = fuses(graph.to(edge))) {
      const node = graph.to(edge)
      // What is called within another's call pays no overhead of its own.
      const service = serviceOf(graph.node(node))
      visits *= shares[edge]?.gain ?? 0
      fusedMs += visits * service.serviceMs
      fusedCoreSeconds += visits * service.coreSeconds
      services[node] = { ...service, rate: Infinity, isLimited: false, fused: { head, visits } }
    }
    services[head] = withFused(graph, head, services[head]!, fusedMs, fusedCoreSeconds)
  })
  return services
}

/** Calls of the stage itself may overlap; what is fused to it is called one by one. */
function withFused(
  graph: ResolvedGraph,
  head: number,
  own: NodeService,
  fusedMs: number,
  fusedCoreSeconds: number,
): NodeService {
  const workerMs = own.serviceMs + fusedMs
  const rate = Math.min(rateOf(own.servers, workerMs), rateOf(graph.node(head).workers, fusedMs))
  const workerCoreSeconds = own.coreSeconds + fusedCoreSeconds
  return { ...own, ...withinLimit(graph.node(head), rate), workerMs, workerCoreSeconds }
}

/** A source's limit counts with what it offers (`model.ts`), not with what it serves. */
function withinLimit(
  { kind, rateLimit = Infinity }: ResolvedNode,
  rate: number,
): Pick<NodeService, 'rate' | 'isLimited'> {
  const isLimited = kind !== 'source' && rateLimit < rate
  return { rate: isLimited ? rateLimit : rate, isLimited }
}

function rateOf(servers: number, ms: number): number {
  return ms === 0 ? Infinity : (servers * 1_000) / ms
}

/**
 * `rate = servers × 1,000 / latencyMs`, or the declared `serviceRate`, and at most the `rateLimit`. A worker that waits (not `cpu`) serves `maxInFlight`
 * records at once where that is declared. `overheadMs` is core time that the runtime itself takes for each record.
 */
export function serviceOf(node: ResolvedNode, overheadMs = 0): NodeService {
  const { kind, latencyMs = 0, serviceRate, cpu, workers, overlap } = node
  const none = {
    rate: Infinity,
    isLimited: false,
    servers: Infinity,
    coreSeconds: 0,
    workerMs: 0,
    workerCoreSeconds: 0,
  }
  if (!isStage(kind)) return { ...none, serviceMs: latencyMs }
  const servers = workers * (cpu ? 1 : overlap)
  const declaredMs = serviceRate === undefined ? latencyMs : (servers * 1_000) / serviceRate
  const serviceMs = declaredMs + overheadMs
  const coreSeconds = ((cpu ? declaredMs : 0) + overheadMs) / 1_000
  return {
    ...withinLimit(node, rateOf(servers, serviceMs)),
    servers,
    serviceMs,
    coreSeconds,
    workerMs: serviceMs,
    workerCoreSeconds: coreSeconds,
  }
}

/** Records per second that a node can take: of what is fused to another, as many as that one lets come. */
export function rateAt(services: readonly NodeService[], node: number): number {
  const { rate, fused } = services[node]!
  if (fused === undefined) return rate
  const head = services[fused.head]!.rate
  return head === Infinity || fused.visits === 0 ? Infinity : head * fused.visits
}
