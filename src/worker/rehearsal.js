import { wait } from '#atomics'
import { Handlers } from './handlers.js'
/** Shorter waits are owed and paid together: a thread cannot sleep for less. */
const SLEEP_MS = 1
/**
 * Synthetic work in place of handlers: sources make records at their declared rate, stages take their declared time for
 * each record, conditionals spread them by the declared ratios.
 */
export function rehearsed(plan, stage, data) {
  const functions = new Map()
  const add = (made) => {
    functions.set(made, made)
    return made
  }
  const nodes = data.nodes.map((node) => {
    const own = plan.stages.find((each) => each.node === node.id)
    const inline = stage.nodes.find((each) => each.node === node.id)
    const latencyMs = inline?.rehearsal.latencyMs ?? 0
    if (node.kind === 'source') return { ...node, produce: add(producer(own)) }
    if (node.kind === 'conditional' && inline !== undefined && inline.branches.length > 0) {
      return {
        ...node,
        route: add(
          router(
            inline.branches.map(({ when }) => when),
            inline.rehearsal.shares,
          ),
        ),
      }
    }
    const work = inline === stage.nodes[0] ? stage.work : inline?.work
    if (inline === undefined || work === undefined || work === 'route') return node
    return { ...node, [work]: add(worker(work, pace(latencyMs, node.cpu ?? false), inline.rehearsal.selectivity)) }
  })
  return new Handlers(stage, { ...data, nodes }, functions)
}
function producer({ source }) {
  return function* produce() {
    const start = performance.now()
    for (let made = 0; ; made++) {
      if (source.rate > 0) sleepUntil(start + (1000 * made) / source.rate)
      yield made
    }
  }
}
/** Names branches by a sequence that keeps to the shares at every length. */
function router(names, shares) {
  const owed = shares.map(() => 0)
  return () => {
    shares.forEach((share, i) => (owed[i] += share))
    const most = owed.indexOf(Math.max(...owed))
    owed[most] -= 1
    return names[most]
  }
}
function worker(work, take, selectivity) {
  let owed = 0
  const outputs = (records) => {
    owed += records.length * selectivity
    const count = Math.floor(owed + 1e-9)
    owed -= count
    return Array.from({ length: count }, (_, i) => records[i % records.length])
  }
  switch (work) {
    case 'map':
      return (record) => {
        take(1)
        return record
      }
    case 'flatMap':
      return (record) => {
        take(1)
        return outputs([record])
      }
    case 'mapBatch':
      return (records) => {
        take(records.length)
        return outputs(records)
      }
    default:
      return (records) => take(Array.isArray(records) ? records.length : 1)
  }
}
/** Takes the time of so many records: burns it, or waits. */
function pace(latencyMs, cpu) {
  let owedMs = 0
  return (records) => {
    owedMs += records * latencyMs
    if (owedMs < (cpu ? 0 : SLEEP_MS)) return
    const start = performance.now()
    if (cpu) while (performance.now() - start < owedMs);
    else sleepUntil(start + owedMs)
    owedMs -= performance.now() - start
  }
}
const never = new Int32Array(new SharedArrayBuffer(4))
function sleepUntil(timeMs) {
  const ms = timeMs - performance.now()
  if (ms >= SLEEP_MS) wait(never, 0, 0, ms)
}
