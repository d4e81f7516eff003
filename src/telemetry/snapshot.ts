import { load } from '#atomics'
import { journalMark } from '../lane/journal.ts'
import { reasonsLost } from '../lane/reasons.ts'
import { GRANTED, HEAD, SENT, TAIL, TAKEN, WANTING } from '../memory/lane.ts'
import type { Memory } from '../memory/memory.ts'
import { isVacant, stateOf } from '../lane/seats.ts'
import { ASYNC, type WorkerState } from '../memory/control.ts'
import {
  COUNTERS,
  type EdgeFigure,
  type HistogramKind,
  type JournalFigure,
  namesOf,
  type NodeFigure,
  type Time,
  type BatchTrigger,
} from '../figures.ts'
import type { LinkPlan, NodePlan, Plan, StagePlan, WorkerPlan } from '../plan/types.ts'
import { COUNTER, EDGE_COUNTER, HANDOFFS, SINCE, STATE, TIME, TRIGGER, TRIGGER_NAMES } from '../memory/counters.ts'
import { NODE_COUNTS, type NodeCounts, withCounts } from './counts.ts'
import { type HistogramSummary, summaryOfHistograms } from './histogram-read.ts'
import { portsOf } from './ports.ts'
import { TIME_NAMES, type TimeShares, type WorkerTimes, withShares } from './times.ts'
import { monotonicMs, wallMsAt } from '../time.ts'

/** A worker: its state and how it spent its time. */
export interface WorkerSnapshot extends WorkerTimes {
  readonly index: number
  readonly stage: string
  readonly ordinal: number
  readonly state: WorkerState
  /** Its handler answers with promises, so its calls may overlap. */
  readonly isAsync: boolean
  readonly handoffs: number
}

/** A stage and its workers, with the shares of the workers' time since the start. */
export interface StageSnapshot extends NodeCounts, TimeShares {
  readonly node: string
  readonly kind: StagePlan['kind']
  readonly workers: readonly WorkerSnapshot[]
  readonly histograms: Readonly<Partial<Record<HistogramKind, HistogramSummary>>>
  /** Of a stage that takes batches: how many were completed by what. */
  readonly batches?: Readonly<Record<BatchTrigger, number>>
  /** Of a source that asks why its records failed: of how many chunks it was not told, for want of room. */
  readonly reasonsLost?: number
}

/** What an edge has carried since the start, and what the lanes behind it hold. */
export interface EdgeSnapshot extends Readonly<Record<EdgeFigure, number>> {
  readonly index: number
  readonly from: string
  readonly to: string
}

/** One lane, as it is now. */
export interface LaneSnapshot {
  readonly link: number
  readonly from: number
  readonly to: number
  readonly queued: number
  readonly credit: number
  readonly capacity: number
  readonly usedBytes: number
  readonly ringBytes: number
  /** The writer waits here just now. */
  readonly isWanted: boolean
}

/** Where all records are. */
export interface BooksSnapshot {
  /** Every node that takes records, those without threads too. */
  readonly nodes: Readonly<Record<string, NodeCounts>>
  readonly edges: readonly EdgeSnapshot[]
  readonly lanes: readonly LaneSnapshot[]
}

/** Everything that is counted, at one moment: read from shared memory, without asking a worker. */
export interface Snapshot extends BooksSnapshot {
  readonly pipeline: string
  /** Milliseconds since 1970 by the wall clock, to show; and since the pipeline ran, to reckon with. */
  readonly time: number
  readonly elapsedMs: number
  readonly stages: Readonly<Record<string, StageSnapshot>>
  /** Of a durable run. */
  readonly journal?: JournalSnapshot
}

/** The ingress journal: what it holds, and whether the disk takes more. */
export interface JournalSnapshot extends Readonly<Record<JournalFigure, number>> {
  readonly state: 'ok' | 'full' | 'failed'
}

/** A worker that hands off all the time may tear a look; after so many the last one is taken. */
const MAX_LOOKS = 100

export function readSnapshot(memory: Memory, plan: Plan, startedAtMs: number): Snapshot {
  const now = monotonicMs()
  const counters = plan.workers.map((worker) => readCounters(memory, worker))
  const { nodes, edges, lanes } = readBooks(memory, plan, counters)
  const stages = plan.nodeStages.map((stage) => readStage(memory, plan, stage, counters, nodes[stage.node]!, now))
  return {
    pipeline: plan.graph,
    time: wallMsAt(now),
    elapsedMs: now - startedAtMs,
    stages: Object.fromEntries(stages.map((stage) => [stage.node, stage])),
    nodes,
    edges,
    lanes,
  }
}

/** Where all records are: a part of a snapshot, and far cheaper. */
export function readBooks(
  memory: Memory,
  plan: Plan,
  counters: readonly Float64Array[] = plan.workers.map((worker) => readCounters(memory, worker)),
): BooksSnapshot {
  const lanes = plan.links.flatMap((link) => readLanes(memory, plan, link))
  const edges = readEdges(plan, counters, lanes)
  return { nodes: readNodes(plan, counters, edges, lanes), edges, lanes }
}

/** Whether records move: hand-offs of all workers so far, and source records on their way. Far cheaper than a snapshot. */
export function readMovement(memory: Memory, plan: Plan): { readonly handoffs: number; readonly inFlight: number } {
  let [handoffs, inFlight] = [0, 0]
  for (const { kind, workers, nodes } of plan.nodeStages) {
    for (const index of workers) {
      const counters = readCounters(memory, plan.workers[index]!)
      handoffs += counters[HANDOFFS]!
      if (kind !== 'source') continue
      const [taken, ...ended] = ENDS.map((counter) => counters[nodes[0]!.counters + counter]!)
      inFlight += ended.reduce((left, count) => left - count, taken!)
    }
  }
  return { handoffs, inFlight }
}

/** What a record that was taken may end as. */
const ENDS = [COUNTER.in, COUNTER.done, COUNTER.filtered, COUNTER.failed, COUNTER.deadLettered] as const

/** The counters of a worker as one hand-off left them. */
export function readCounters(memory: Memory, { journal }: WorkerPlan): Float64Array {
  const from = journal.countersOffset / 8
  for (let look = 0; ; look++) {
    const marked = journalMark(memory, journal)
    const counters = memory.floats.slice(from, from + journal.counters)
    const isWhole =
      marked === 0 && journalMark(memory, journal) === 0 && memory.floats[from + HANDOFFS] === counters[HANDOFFS]
    if (isWhole || look === MAX_LOOKS) return counters
  }
}

function readLanes({ words }: Memory, plan: Plan, link: LinkPlan): LaneSnapshot[] {
  return link.lanes.flatMap((row, i) =>
    row.map((layout, j) => {
      const at = layout.offset / 4
      const taken = load(words, at + TAKEN)
      const sent = load(words, at + SENT)
      return {
        link: link.index,
        from: plan.stages[link.from]!.workers[i]!,
        to: plan.stages[link.to]!.workers[j]!,
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

function readEdges(plan: Plan, counters: readonly Float64Array[], lanes: readonly LaneSnapshot[]): EdgeSnapshot[] {
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
      // A buffer that drops may lie before an inline node, so that all edges of the port are behind it.
      const isDropBefore = link?.dropEdge !== undefined && !port.edges.includes(link.dropEdge)
      let hasPassedDrop = link?.dropEdge === undefined || isDropBefore
      if (isDropBefore) {
        const written = stage.workers.reduce(
          (sum, worker) => sum + counters[worker]![port.counters + EDGE_COUNTER.dropped]!,
          0,
        )
        edges[link.dropEdge]!.dropped += written + droppedBelow
      }
      for (const index of port.edges) {
        const edge = edges[index]!
        for (const worker of stage.workers) {
          const of = (counter: number): number => counters[worker]![port.counters + counter]!
          // Before the buffer that drops, dropped records count as sent; behind it they do not.
          edge.records += of(EDGE_COUNTER.records) + (hasPassedDrop ? 0 : of(EDGE_COUNTER.dropped))
          edge.dropped += index === link?.dropEdge ? of(EDGE_COUNTER.dropped) : 0
          edge.bytes += of(EDGE_COUNTER.bytes)
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
function readDropped(plan: Plan, link: LinkPlan, counters: readonly Float64Array[]): number {
  let dropped = 0
  for (const worker of plan.stages[link.to]!.workers) {
    for (const input of plan.workers[worker]!.inputs) {
      if (input.link === link.index && input.dropped !== undefined) dropped += counters[worker]![input.dropped]!
    }
  }
  return dropped
}

function readNodes(
  plan: Plan,
  counters: readonly Float64Array[],
  edges: readonly EdgeSnapshot[],
  lanes: readonly LaneSnapshot[],
): Record<string, NodeCounts> {
  const sent = new Map<string, number>()
  for (const { from, records } of edges) sent.set(from, (sent.get(from) ?? 0) + records)
  const injected = readInjected(plan, counters, lanes)
  const nodes = Object.create(null) as Record<string, Record<NodeFigure, number>>
  forEachNode(plan, (stage, { node, counters: at }) => {
    const counts = (nodes[node] ??= {} as Record<NodeFigure, number>)
    for (const name of COUNTER_NAMES) {
      let count = counts[name] ?? 0
      for (const worker of stage.workers) count += counters[worker]![at + COUNTER[name]]!
      counts[name] = count
    }
  })
  for (const [node, counts] of Object.entries(nodes)) {
    counts.out = sent.get(node) ?? 0
    counts.inFlight = counts.in - counts.done - counts.filtered - counts.failed - counts.deadLettered
    counts.injected = injected.get(node) ?? 0
  }
  return nodes
}

const COUNTER_NAMES = namesOf(COUNTERS)

/** Records by node that came to it by injection, and are not on the lane any more. */
function readInjected(
  plan: Plan,
  counters: readonly Float64Array[],
  lanes: readonly LaneSnapshot[],
): ReadonlyMap<string, number> {
  const injected = new Map<string, number>()
  if (plan.injection === undefined) return injected
  const { workers, nodes } = plan.injection
  for (const { when, ports } of nodes.flatMap(({ branches }) => branches)) {
    let records = 0
    for (const port of ports) {
      for (const worker of workers) records += counters[worker]![port.counters + EDGE_COUNTER.records]!
      for (const { link, queued } of lanes) if (link === port.link) records -= queued
    }
    injected.set(when, (injected.get(when) ?? 0) + records)
  }
  return injected
}

function readStage(
  memory: Memory,
  plan: Plan,
  stage: StagePlan,
  counters: readonly Float64Array[],
  counts: NodeCounts,
  now: number,
): StageSnapshot {
  const workers = stage.workers.map((index) => readWorker(memory, plan, index, counters[index]!, now))
  const histograms: Partial<Record<HistogramKind, HistogramSummary>> = {}
  for (const kind of Object.keys(plan.workers[stage.workers[0]!]!.histograms) as HistogramKind[]) {
    const offsets = stage.workers.map((index) => plan.workers[index]!.histograms[kind]!)
    histograms[kind] = summaryOfHistograms(memory, offsets)
  }
  const { node, kind, input, source } = stage
  const at = input?.batch?.counters
  const batches = at === undefined ? {} : { batches: readBatches(stage, counters, at) }
  const lost = (source?.reasonWords ?? 0) > 0 ? { reasonsLost: readLost(memory, plan, stage) } : {}
  const spentMs = (ms: keyof WorkerTimes): number => workers.reduce((sum, worker) => sum + worker[ms], 0)
  const allMs = TIME_NAMES.reduce((sum, [, ms]) => sum + spentMs(ms), 0)
  return withCounts(
    withShares({ node, kind, workers, histograms, ...batches, ...lost }, (_, ms) => spentMs(ms), allMs),
    NODE_COUNTS,
    counts,
  )
}

function readLost(memory: Memory, plan: Plan, { workers }: StagePlan): number {
  let lost = 0
  for (const index of workers)
    for (const { layout } of plan.workers[index]!.ackInputs)
      if (layout.reasons !== undefined) lost += reasonsLost(memory, layout.reasons)
  return lost
}

function readBatches(
  { workers }: StagePlan,
  counters: readonly Float64Array[],
  at: number,
): Readonly<Record<BatchTrigger, number>> {
  const found = {} as Record<BatchTrigger, number>
  for (const trigger of TRIGGER_NAMES)
    found[trigger] = workers.reduce((sum, worker) => sum + counters[worker]![at + TRIGGER[trigger]]!, 0)
  return found
}

function readWorker(memory: Memory, plan: Plan, index: number, counters: Float64Array, now: number): WorkerSnapshot {
  const worker = plan.workers[index]!
  const control = worker.control.offset / 4
  const at = worker.times / 8
  // The state that goes on is counted up to now.
  const state = memory.floats[at + STATE]!
  const since = memory.floats[at + SINCE]!
  const runsMs = since > 0 && !isVacant(memory, worker.control.offset) ? Math.max(0, now - since) : 0
  const snapshot = {
    index,
    stage: plan.stages[worker.stage]!.node,
    ordinal: worker.ordinal,
    state: stateOf(memory, worker.control.offset),
    isAsync: load(memory.words, control + ASYNC) === 1,
    handoffs: counters[HANDOFFS]!,
  } as Omit<WorkerSnapshot, `${Time}Ms`> & Record<`${Time}Ms`, number>
  for (const [name, ms] of TIME_NAMES)
    snapshot[ms] = memory.floats[at + TIME[name]]! / 1000 + (TIME[name] === state ? runsMs : 0)
  return snapshot
}

function forEachNode(plan: Plan, visit: (stage: StagePlan, node: NodePlan) => void): void {
  for (const stage of plan.nodeStages) for (const node of stage.nodes) visit(stage, node)
}
