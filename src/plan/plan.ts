import { deadlock } from '../analysis/loops/deadlock.ts'
import { divide } from '../analysis/divide.ts'
import { loopEdges } from '../analysis/structure.ts'
import { MillraceError } from '../errors.ts'
import { HISTOGRAMS, type HistogramKind, type StagePosition, namesOf } from '../figures.ts'
import { withStageDefaults } from '../graph/defaults.ts'
import type { GraphData } from '../graph/types.ts'
import { MAX_SOURCES } from '../memory/slots.ts'
import { type Given, RUN_OPTIONS, type Resolved, resolve, type STAGE_DEFAULTS } from '../options/index.ts'
import { withRoomForAnchors } from './anchors.ts'
import { LEAST_RING_BYTES, LINK_BYTES, powerOfTwo } from './lane-sizes.ts'
import { type LinkShape, linkShape } from './links.ts'
import { MemoryMap } from './memory-map.ts'
import { type Network, networkOf } from './network.ts'
import { refuse } from './refuse.ts'
import { ackEntries, reasonWords, sharedSlots } from './slots.ts'
import { INJECTED_RECORDS } from './injection.ts'
import type { StageDraft } from './stage-draft.ts'
import { draftStages } from './stages.ts'
import type { EdgePlan, LaneEnd, LinkPlan, Plan, StagePlan, TracePlan, WorkerPlan } from './types.ts'

/** What `plan` takes: the options of `run`. */
export type PlanOptions = Partial<Record<keyof typeof RUN_OPTIONS, unknown>>

/** Entries of a hand-off beside those that grow with lanes and batches: a source may change 256 slots of 8 words. */
const JOURNAL_ENTRIES = 2_304

/**
 * Plans a graph: stages, lanes, and where everything lies in memory. Allocates nothing; the same graph and options give the
 * same plan. A rehearsal plans what `rehearsable` gives.
 * @throws GRAPH_INVALID with all problems; PART_UNKNOWN, PLAN_TOO_LARGE
 */
export function plan(declared: GraphData, given: PlanOptions = {}, rehearse = false): Plan {
  const defaults = given.defaults as Given<typeof STAGE_DEFAULTS> | undefined
  if (!rehearse) refuse(declared)
  const whole = withStageDefaults(declared, defaults)
  if (!rehearse && whole !== declared) refuse(whole)
  const options = resolve(RUN_OPTIONS, given)
  const graph = divide(whole, options.part)
  const network = networkOf(graph)
  const drafted = draftStages(network, options.restart, rehearse, options.inject)
  const loops = loopsOf(graph, options.maxDemand, options.inject ? INJECTED_RECORDS : 0)
  const isLaneAsked = given.laneBytes !== undefined
  const planned = (linkBytes: number): Plan => {
    const shapes = drafted
      .flatMap(({ paths }) => paths)
      .map((path) => linkShape(network, path, drafted, options, loops, isLaneAsked ? undefined : linkBytes))
    const above = sourcesAbove(drafted, shapes)
    const drafts = withSharedSlots(drafted, above)
    const slots = above.map((sources) =>
      sources.reduce((sum, index) => sum + drafts[index]!.stage.seats * drafts[index]!.stage.source!.slots, 0),
    )
    const isTraced = given.trace !== undefined
    return {
      ...new Planner(network, drafts, withRoomForAnchors(shapes, drafts, slots), options, isTraced).plan(),
      ...(options.part === undefined ? {} : { part: options.part }),
      rehearse,
    }
  }
  const most = options.maxMemoryBytes
  for (let linkBytes = LINK_BYTES; ; linkBytes /= 2) {
    const made = planned(linkBytes)
    if (made.memoryBytes <= most) return made
    if (linkBytes > LEAST_RING_BYTES && !isLaneAsked) continue
    throw new MillraceError('PLAN_TOO_LARGE', { what: 'bytes of shared memory', is: made.memoryBytes, most })
  }
}

/**
 * Edges on loops, and the records that each lane over them must hold so that no loop can block itself: the answer of `deadlock`.
 * 0 where what the lane holds anyway is enough, or where the graph says how much it holds.
 */
function loopsOf(graph: GraphData, maxDemand: number, injected: number): ReadonlyMap<number, number> {
  const edges = loopEdges(graph)
  if (edges.size === 0) return new Map()
  const sized = new Map(deadlock(graph, { maxDemand, injected }).sized.map(({ edge, capacity }) => [edge, capacity]))
  return new Map([...edges].map((edge) => [edge, sized.get(edge) ?? 0]))
}

class Planner {
  readonly #network: Network
  readonly #drafts: readonly StageDraft[]
  readonly #shapes: readonly LinkShape[]
  readonly #options: Resolved<typeof RUN_OPTIONS>
  readonly #isTraced: boolean
  readonly #map = new MemoryMap()

  constructor(
    network: Network,
    drafts: readonly StageDraft[],
    shapes: readonly LinkShape[],
    options: Resolved<typeof RUN_OPTIONS>,
    isTraced: boolean,
  ) {
    this.#isTraced = isTraced
    this.#network = network
    this.#drafts = drafts
    this.#shapes = shapes
    this.#options = options
  }

  plan(): Omit<Plan, 'rehearse'> {
    const control = this.#map.pipelineControl()
    const stages = this.#stages()
    const sources = stages.filter(({ kind }) => kind === 'source').flatMap(({ workers }) => workers)
    if (sources.length > MAX_SOURCES) {
      throw new MillraceError('PLAN_TOO_LARGE', { what: 'source workers', is: sources.length, most: MAX_SOURCES })
    }
    const links = this.#links()
    const workers = this.#workers(stages, links, sources)
    const trace = this.#isTraced ? this.#trace(stages) : undefined
    const { given } = this.#network
    return {
      graph: given.name,
      module: given.module,
      stages,
      nodeStages: stages.filter(({ role }) => role === 'node'),
      injection: stages.find(({ role }) => role === 'system'),
      workers,
      links,
      edges: this.#edges(links),
      sources,
      ...(trace && { trace }),
      memoryBytes: this.#map.bytes,
      reservedBytes: workers.filter(({ inputs }) => inputs.length > 0).length * this.#options.maxRecordBytes,
      control,
      maxRecordBytes: this.#options.maxRecordBytes,
      loader: this.#options.loader,
    }
  }

  #trace(stages: readonly StagePlan[]): TracePlan {
    const { rate, every, tail, checksum, types, always = [], never = [] } = this.#options.trace
    for (const node of [...always, ...never])
      if (!stages.some((stage) => stage.node === node)) throw new MillraceError('NODE_UNKNOWN', { node })
    return { offset: this.#map.traceControl(), rate, every, tail, always, never, checksum, types }
  }

  #stages(): StagePlan[] {
    let next = 0
    const workers = this.#drafts.map(({ stage }) => Array.from({ length: stage.seats }, () => next++))
    const above = sourcesAbove(this.#drafts, this.#shapes)
    const loops = stageLoops(this.#drafts.length, this.#shapes)
    let source = 0
    const numbers = this.#drafts.map(({ stage }) =>
      stage.kind === 'source' ? Array.from({ length: stage.seats }, () => source++) : [],
    )
    return this.#drafts.map(({ stage }, i) => ({
      ...stage,
      workers: workers[i]!,
      sourcesAbove: above[i]!.flatMap((index) => numbers[index]!),
      limit: { ...stage.limit, offset: this.#map.rateLimit() },
      ...(stage.seats > stage.concurrency && { sizing: this.#map.sizing() }),
      ...(loops[i] && { loop: loops[i] }),
    }))
  }

  #links(): LinkPlan[] {
    return this.#shapes.map(({ sizes, ...shape }) => ({
      ...shape,
      lanes: Array.from({ length: this.#drafts[shape.from]!.stage.seats }, () =>
        Array.from({ length: this.#drafts[shape.to]!.stage.seats }, () => this.#map.lane(sizes)),
      ),
    }))
  }

  #workers(stages: readonly StagePlan[], links: readonly LinkPlan[], sources: readonly number[]): WorkerPlan[] {
    const ackLanes = new Map<number, { layout: ReturnType<MemoryMap['acks']>; peer: number }[]>(
      sources.map((worker) => [worker, []]),
    )
    const workers = stages.flatMap((stage) =>
      stage.workers.map((index, ordinal) => {
        const ackOutputs = stage.sourcesAbove.map((source) => {
          const above = sourceStage(stages, sources[source]!).source!
          const layout = this.#map.acks(ackEntries(above), above.reasonWords)
          ackLanes.get(sources[source]!)!.push({ layout, peer: index })
          return { layout, peer: sources[source]! }
        })
        return { ...this.#worker(stage, index, ordinal, stages, links, sources), ackOutputs }
      }),
    )
    return workers.map((worker) => ({ ...worker, ackInputs: ackLanes.get(worker.index) ?? [] }))
  }

  #worker(
    stage: StagePlan,
    index: number,
    ordinal: number,
    stages: readonly StagePlan[],
    links: readonly LinkPlan[],
    sources: readonly number[],
  ): Omit<WorkerPlan, 'ackOutputs' | 'ackInputs'> {
    let counters = this.#drafts[stage.index]!.counters
    const inputs = links
      .filter(({ to }) => to === stage.index)
      .flatMap((link) =>
        link.lanes.map((row, i): LaneEnd => {
          const peer = stages[link.from]!.workers[i]!
          const dropped = link.whenFull === 'dropOldest' ? counters++ : undefined
          return { link: link.index, layout: row[ordinal]!, peer, dropped }
        }),
      )
    const outputs = links
      .filter(({ from }) => from === stage.index)
      .flatMap((link) =>
        link.lanes[ordinal]!.map((layout, j): LaneEnd => ({
          link: link.index,
          layout,
          peer: stages[link.to]!.workers[j]!,
        })),
      )
    const batch = stage.input?.batch?.size ?? 1
    const lanes = inputs.length + outputs.length + stage.sourcesAbove.length
    const source = sources.indexOf(index)
    const common = {
      index,
      stage: stage.index,
      ordinal,
      control: this.#map.workerControl(),
      journal: this.#map.journal(JOURNAL_ENTRIES + 9 * lanes + 6 * batch, counters),
      times: this.#map.times(),
      histograms: this.#map.histograms(histogramsOf(stage, outputs.length === 0)),
      inputs,
      outputs,
      stash: this.#map.stash(powerOfTwo(stage.input?.stashBytes ?? this.#options.stashBytes)),
      ...(this.#isTraced && { trace: this.#map.trace(this.#options.trace.ring, this.#options.trace.side) }),
      // One place more than calls: for the user's code that is called beside them.
      hand: this.#map.hand(
        Math.max(inputs.length, batch, (stage.input?.maxInFlight ?? 0) + 1 + (stage.input?.preloads ?? 0)),
      ),
    }
    if (stage.source === undefined) return common
    // Those that are pushed, and messages of another process, may continue a trace.
    const hasParents = this.#isTraced && (stage.host === 'embedder' || stage.source.ack !== undefined)
    const slots = this.#map.slots(stage.source.slots, source, hasParents, stage.source.metaBytes)
    // Where a producer was with its pushes, only that producer knows.
    const keepsWatermark = this.#options.durable.dir !== undefined && stage.host === 'pool'
    return { ...common, source, slots, progress: this.#map.progress(), keepsWatermark }
  }

  #edges(links: readonly LinkPlan[]): EdgePlan[] {
    return this.#network.graph.allEdges.map(({ from, to, pathType }, index) => ({
      from,
      to,
      pathType,
      links: links.filter(({ edges }) => edges.at(-1) === index).map((link) => link.index),
    }))
  }
}

function sourceStage(stages: readonly StagePlan[], worker: number): StagePlan {
  return stages.find(({ workers }) => workers.includes(worker))!
}

function histogramsOf({ kind }: StagePlan, isLast: boolean): HistogramKind[] {
  const position = kind === 'source' ? 'source' : isLast ? 'last' : 'inner'
  return namesOf(HISTOGRAMS).filter((name) => (HISTOGRAMS[name].stages as readonly StagePosition[]).includes(position))
}

/**
 * Gives the sources of very many ack lanes fewer slots, and smaller rings for reasons. Where a chunk is one record, the window is
 * what was asked for, and stays.
 * @param above for each stage, the source stages from which records can come
 */
function withSharedSlots(drafts: readonly StageDraft[], above: readonly (readonly number[])[]): StageDraft[] {
  return drafts.map((draft) => {
    const { source, index, seats } = draft.stage
    if (source === undefined) return draft
    const below = drafts.reduce((sum, { stage }, i) => sum + (above[i]!.includes(index) ? stage.seats : 0), 0)
    const slots = source.chunk === 1 ? source.slots : sharedSlots(source.slots, seats * below)
    const words = reasonWords(4 * source.reasonWords, seats * below)
    return { ...draft, stage: { ...draft.stage, source: { ...source, slots, reasonWords: words } } }
  })
}

/** For each stage, the source stages from which records can come, by index. */
function sourcesAbove(drafts: readonly StageDraft[], links: readonly LinkShape[]): number[][] {
  const above = drafts.map(({ stage }) => new Set(stage.kind === 'source' ? [stage.index] : []))
  for (let changed = true; changed;) {
    changed = false
    for (const { from, to } of links) {
      const before = above[to]!.size
      for (const source of above[from]!) above[to]!.add(source)
      if (above[to]!.size > before) changed = true
    }
  }
  return above.map((set, i) =>
    [...set].filter((source) => source !== i || drafts[i]!.stage.kind !== 'source').sort((a, b) => a - b),
  )
}

/** For each stage, all stages that it can reach and that can reach it; undefined where it cannot even reach itself. */
function stageLoops(stages: number, links: readonly LinkShape[]): (readonly number[] | undefined)[] {
  const reach = Array.from({ length: stages }, () => new Set<number>())
  for (let changed = true; changed;) {
    changed = false
    for (const { from, to } of links) {
      const before = reach[from]!.size
      reach[from]!.add(to)
      for (const further of reach[to]!) reach[from]!.add(further)
      if (reach[from]!.size > before) changed = true
    }
  }
  return reach.map((below, stage) =>
    below.has(stage) ? [...below].filter((other) => reach[other]!.has(stage)) : undefined,
  )
}
