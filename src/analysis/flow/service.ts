import type { GraphNode } from '../../graph/types.ts'
import { isStage, SOURCE_DEFAULTS } from '../loops/lanes.ts'

/** How fast one node can work, by what it declares. */
export interface Service {
  /** Records per second that the whole stage can serve; infinite where nothing limits it. */
  readonly rate: number
  /** Records that it can have in service at once. */
  readonly servers: number
  /** Time in service of one record, in ms. Of nodes without threads: the delay they add, which limits nothing. */
  readonly serviceMs: number
  /** Core time of one record, in seconds. */
  readonly coreSeconds: number
}

/**
 * `rate = servers × 1,000 / latencyMs`, or the declared `serviceRate`. A worker that waits (not `cpu`) serves `maxInFlight`
 * records at once where that is declared. `overheadMs` is core time that the runtime itself takes for each record.
 */
export function serviceOf(node: GraphNode, overheadMs = 0): Service {
  const { kind, latencyMs = 0, serviceRate, cpu = false, concurrency = SOURCE_DEFAULTS.concurrency } = node
  if (!isStage(kind)) return { rate: Infinity, servers: Infinity, serviceMs: latencyMs, coreSeconds: 0 }
  const servers = concurrency * (cpu ? 1 : (node.maxInFlight ?? 1))
  const declaredMs = serviceRate === undefined ? latencyMs : (servers * 1_000) / serviceRate
  const serviceMs = declaredMs + overheadMs
  return {
    rate: serviceMs === 0 ? Infinity : (servers * 1_000) / serviceMs,
    servers,
    serviceMs,
    coreSeconds: ((cpu ? declaredMs : 0) + overheadMs) / 1_000,
  }
}
