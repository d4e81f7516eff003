import { isStage, type ResolvedGraph } from '../../graph/resolve.ts'
import { DEFAULT_MAX_DEMAND } from '../loops/lanes.ts'
import type { Model } from './model.ts'
import type { Prediction } from './predict.ts'
import { totalWindow } from './windows.ts'

/**
 * An estimate, in ms, of how long a record waits at each node under the predicted flow: in the lanes before it, as in a
 * queue with random arrivals and service times (Sakasegawa's formula for M/M/c), never longer than what fits there takes;
 * and in an open batch, half of the time until it is closed.
 */
export function waitingMs(model: Model, prediction: Prediction): Float64Array {
  const windows = totalWindow(model.graph)
  return Float64Array.from(model.graph.nodes, (_, node) => {
    const rate = prediction.into[node] ?? 0
    if (!isStage(model.graph.node(node).kind) || rate === 0 || rate === Infinity) return 0
    return queueMs(model, node, rate, windows) + batchMs(model.graph, node, rate)
  })
}

function queueMs(model: Model, node: number, rate: number, windows: number): number {
  const { kind } = model.graph.node(node)
  const service = model.services[node]
  if (kind === 'source' || service === undefined || service.rate === Infinity) return 0
  const { servers, serviceMs } = service
  const load = rate / service.rate
  const free = 1 - load
  const queued = free <= 1e-9 ? Infinity : (serviceMs * load ** (Math.sqrt(2 * (servers + 1)) - 1)) / (servers * free)
  return Math.min(queued, (Math.min(windows, roomBefore(model.graph, node)) / rate) * 1_000)
}

function batchMs(graph: ResolvedGraph, node: number, rate: number): number {
  const { batch, workers } = graph.node(node)
  if (batch === undefined) return 0
  const { size, timeoutMs } = batch
  return Math.min(timeoutMs, ((size - 1) * workers * 1_000) / rate) / 2
}

/** Records that the lanes and buffers in front of a stage hold. */
export function roomBefore(graph: ResolvedGraph, node: number): number {
  let room = 0
  const seen = new Set<number>()
  const queue = [...graph.in(node)]
  for (const edge of queue) {
    const from = graph.from(edge)
    const { kind, capacity } = graph.node(from)
    if (isStage(kind)) {
      room += (graph.edge(edge).maxDemand ?? DEFAULT_MAX_DEMAND) * graph.node(from).workers * graph.node(node).workers
    } else if (!seen.has(from)) {
      seen.add(from)
      if (kind === 'buffer') room += capacity
      else for (const before of graph.in(from)) queue.push(before)
    }
  }
  return room
}
