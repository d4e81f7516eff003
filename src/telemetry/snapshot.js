import { load } from '#atomics'
import { journalMark } from '../lane/journal.js'
import { GRANTED, HEAD, SENT, TAIL, TAKEN, WANTING } from '../lane/layout.js'
import { ASYNC, STATE as WORKER_STATE, WORKER_STATES } from '../plan/control.js'
import { BYTES, DROPPED, HANDOFFS, NODE_COUNTERS, RECORDS, SINCE, STATE, TIMES } from './counters.js'
import { summarize } from './histogram-read.js'
/** A worker that hands off all the time may tear a look; after so many the last one is taken. */
const MAX_LOOKS = 100
export function readSnapshot(memory, plan, startedAtMs) {
  const now = performance.now()
  const counters = plan.workers.map((worker) => readCounters(memory, worker))
  const lanes = plan.links.flatMap((link) => readLanes(memory, plan, link))
  const edges = readEdges(plan, counters, lanes)
  const nodes = readNodes(plan, counters, edges, lanes)
  const shown = plan.stages.filter(({ isHidden }) => !isHidden)
  const stages = shown.map((stage) => readStage(memory, plan, stage, counters, nodes[stage.node], now))
  return {
    pipeline: plan.graph,
    time: performance.timeOrigin + now,
    elapsedMs: now - startedAtMs,
    stages: Object.fromEntries(stages.map((stage) => [stage.node, stage])),
    nodes,
    edges,
    lanes,
  }
}
/** The counters of a worker as one hand-off left them. */
export function readCounters(memory, { journal }) {
  const from = journal.countersOffset / 8
  for (let look = 0; ; look++) {
    const marked = journalMark(memory, journal)
    const counters = memory.floats.slice(from, from + journal.counters)
    const isWhole =
      marked === 0 && journalMark(memory, journal) === 0 && memory.floats[from + HANDOFFS] === counters[HANDOFFS]
    if (isWhole || look === MAX_LOOKS) return counters
  }
}
function readLanes({ words }, plan, link) {
  return link.lanes.flatMap((row, i) =>
    row.map((layout, j) => {
      const at = layout.offset / 4
      const taken = load(words, at + TAKEN)
      const sent = load(words, at + SENT)
      return {
        link: link.index,
        from: plan.stages[link.from].workers[i],
        to: plan.stages[link.to].workers[j],
        queued: Math.max(0, (sent - taken) | 0),
        credit: Math.max(0, (load(words, at + GRANTED) - sent) | 0),
        capacity: layout.maxDemand,
        usedBytes: Math.max(0, (load(words, at + TAIL) - load(words, at + HEAD)) | 0),
        ringBytes: layout.ringBytes,
        isWanted: load(words, at + WANTING) === 1,
      }
    }),
  )
}
function readEdges(plan, counters, lanes) {
  const edges = plan.edges.map(({ from, to, links }, index) => {
    const behind = lanes.filter(({ link }) => links.includes(link))
    const queued = behind.reduce((sum, lane) => sum + lane.queued, 0)
    const capacity = behind.reduce((sum, lane) => sum + lane.capacity, 0)
    return { index, from, to, records: 0, dropped: 0, bytes: 0, queued, capacity }
  })
  forEachNode(plan, (stage, node) => {
    for (const port of portsOf(node)) {
      const link = port.link === undefined ? undefined : plan.links[port.link]
      const droppedBelow = link === undefined ? 0 : readDropped(plan, link, counters)
      let hasPassedDrop = link?.dropEdge === undefined
      for (const index of port.edges) {
        const edge = edges[index]
        for (const worker of stage.workers) {
          const of = (counter) => counters[worker][port.counters + counter]
          // Before the buffer that drops, dropped records count as sent; behind it they do not.
          edge.records += of(RECORDS) + (hasPassedDrop ? 0 : of(DROPPED))
          edge.dropped += index === link?.dropEdge ? of(DROPPED) : 0
          edge.bytes += of(BYTES)
        }
        if (hasPassedDrop) edge.records -= droppedBelow
        if (index !== link?.dropEdge) continue
        edge.dropped += droppedBelow
        hasPassedDrop = true
      }
    }
  })
  return edges
}
/** Records that the readers of a link have dropped, asked by its writers. */
function readDropped(plan, link, counters) {
  let dropped = 0
  for (const worker of plan.stages[link.to].workers) {
    for (const input of plan.workers[worker].inputs) {
      if (input.link === link.index && input.dropped !== undefined) dropped += counters[worker][input.dropped]
    }
  }
  return dropped
}
function readNodes(plan, counters, edges, lanes) {
  const nodes = Object.create(null)
  forEachNode(plan, (stage, node) => {
    const sums = (nodes[node.node] ??= Object.fromEntries(NODE_COUNTERS.map((name) => [name, 0])))
    for (const worker of stage.workers) {
      NODE_COUNTERS.forEach((name, i) => (sums[name] += counters[worker][node.counters + i]))
    }
  })
  for (const [id, sums] of Object.entries(nodes)) {
    sums['out'] = edges.reduce((sum, { from, records }) => (from === id ? sum + records : sum), 0)
    sums['inFlight'] = sums['in'] - sums['done'] - sums['filtered'] - sums['failed'] - sums['deadLettered']
    sums['injected'] = readInjected(plan, id, counters, lanes)
  }
  return nodes
}
function readInjected(plan, id, counters, lanes) {
  let injected = 0
  for (const { workers, nodes } of plan.stages.filter(({ isHidden }) => isHidden)) {
    const ports = nodes.flatMap(({ branches }) => branches.flatMap(({ when, ports }) => (when === id ? ports : [])))
    for (const port of ports) {
      for (const worker of workers) injected += counters[worker][port.counters + RECORDS]
      for (const { link, queued } of lanes) if (link === port.link) injected -= queued
    }
  }
  return injected
}
function readStage(memory, plan, stage, counters, counts, now) {
  const workers = stage.workers.map((index) => readWorker(memory, plan, index, counters[index], now))
  const total = workers.reduce(
    (sum, worker) => sum + worker.busyMs + worker.starvedMs + worker.blockedMs + worker.limitedMs,
    0,
  )
  const share = (of) => (total === 0 ? 0 : workers.reduce((sum, worker) => sum + of(worker), 0) / total)
  const kinds = Object.keys(plan.workers[stage.workers[0]].histograms)
  const histograms = kinds.map((kind) => {
    const offsets = stage.workers.map((index) => plan.workers[index].histograms[kind])
    return [kind, summarize(memory, offsets)]
  })
  return {
    ...counts,
    node: stage.node,
    kind: stage.kind,
    workers,
    busy: share(({ busyMs }) => busyMs),
    starved: share(({ starvedMs }) => starvedMs),
    blocked: share(({ blockedMs }) => blockedMs),
    limited: share(({ limitedMs }) => limitedMs),
    histograms: Object.fromEntries(histograms),
  }
}
function readWorker(memory, plan, index, counters, now) {
  const worker = plan.workers[index]
  const at = worker.times / 8
  const times = TIMES.map((_, i) => memory.floats[at + i] / 1000)
  // The state that goes on is counted up to now.
  const state = memory.floats[at + STATE]
  const since = memory.floats[at + SINCE]
  if (since > 0) times[state] += Math.max(0, now - since)
  const [busyMs, starvedMs, blockedMs, limitedMs] = times
  return {
    index,
    stage: plan.stages[worker.stage].node,
    ordinal: worker.ordinal,
    state: WORKER_STATES[load(memory.words, worker.control.offset / 4 + WORKER_STATE)],
    isAsync: load(memory.words, worker.control.offset / 4 + ASYNC) === 1,
    handoffs: counters[HANDOFFS],
    busyMs,
    starvedMs,
    blockedMs,
    limitedMs,
  }
}
function forEachNode(plan, visit) {
  for (const stage of plan.stages) {
    if (!stage.isHidden) for (const node of stage.nodes) visit(stage, node)
  }
}
function portsOf(node) {
  const { out, branches, error, deadLetter, retry } = node
  const ports = [...out, ...branches.flatMap(({ ports }) => ports), ...error, ...deadLetter, ...retry]
  // A buffer or merge passes all edges on, whatever they are for.
  return [...new Set(ports)]
}
