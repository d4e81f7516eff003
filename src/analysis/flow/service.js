import { isStage, SOURCE_DEFAULTS } from '../loops/lanes.js'
/**
 * `rate = servers × 1,000 / latencyMs`, or the declared `serviceRate`. A worker that waits (not `cpu`) serves `maxInFlight`
 * records at once where that is declared. `overheadMs` is core time that the runtime itself takes for each record.
 */
export function serviceOf(node, overheadMs = 0) {
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
