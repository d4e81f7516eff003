import { errorText } from '../../errors.ts'
import type { Journal } from '../../lane/journal.ts'
import type { Slots } from '../../lane/slots.ts'
import { TraceWriter } from '../../lane/trace.ts'
import type { ChunkHeader } from '../../lane/writer.ts'
import { COUNTER } from '../../memory/counters.ts'
import { SUM } from '../../memory/histogram.ts'
import { GAP, TRACED } from '../../memory/lane.ts'
import type { Memory } from '../../memory/memory.ts'
import { COUNT, EVENT_GAP, EVENT_PART, INPUT_WORDS, NO_EDGE } from '../../memory/trace.ts'
import { anchorOf } from '../../memory/slots.ts'
import type { TraceContext } from '../../plan/definition.ts'
import type { LinkPlan, Plan, StagePlan, WorkerPlan } from '../../plan/types.ts'
import type { Clock } from '../clock.ts'
import { type EventFacts, EventWriter } from './event-writer.ts'
import type { AttributeValue } from '../call/notes.ts'
import type { Composed, Member } from '../chunk.ts'
import { Asides } from './asides.ts'
import { SpanNames } from './span-names.ts'
import { Witness } from './witness.ts'
import type { Redact } from '../../seen.ts'
import { inputWords, membersInputs } from './inputs.ts'

/** Events that one chunk can make at one hop: what went on, what was filtered, retried, given up two ways, dropped. */
const MOST_EVENTS = 6

/** Records on their way out, with the index of the input that each came of. */
interface Origins {
  origin(index: number): number
}

/**
 * Writes down what becomes of traced chunks: between `open` and `close` of the outlet it gathers, and at the close makes the
 * events, so that they are told by the hand-off that tells of the chunk. Where the ring has no room for all that one chunk
 * can make, none of its events is written: they are counted, and GAP travels on with what comes of it.
 */
export class Recorder {
  /** The chunk in hand is traced. */
  isOn = false
  readonly #events: EventWriter
  readonly #plan: Plan
  readonly #stage: StagePlan
  readonly #worker: WorkerPlan
  readonly #clock: Clock
  readonly #spans: SpanNames
  readonly #asides: Asides
  readonly #floats: Float64Array
  readonly #serviceAt: number
  /** Nothing is written of this node (`never`). */
  readonly #isQuiet: boolean
  readonly #slots: Slots | undefined
  #results = 0
  /** Records of the portion, once the stage has said so. */
  #taken = 0
  #isDropping = false
  #header!: ChunkHeader
  #from = 0
  #takenAt = 0
  #servedNs: number
  /** Of a batch: its inputs, as words. */
  #batch: number[] | undefined
  #outputs: number[] = []
  #origins: (number[] | undefined)[] = []
  #given: { failed: Given | undefined; deadLettered: Given | undefined } = {
    failed: undefined,
    deadLettered: undefined,
  }
  #lost: { edge: number; origin: number; count: number } | undefined

  constructor(given: {
    memory: Memory
    plan: Plan
    stage: StagePlan
    worker: WorkerPlan
    journal: Journal
    clock: Clock
    epoch: number
    /** Of a source. */
    slots: Slots | undefined
    /** What may be seen of the records of a link into this stage. */
    redact: (link: LinkPlan) => Redact | undefined
  }) {
    const { memory, plan, stage, worker, journal } = given
    const writer = new TraceWriter(memory, worker.trace!, journal)
    this.#events = new EventWriter(writer, plan, worker, given.slots, given.epoch)
    this.#plan = plan
    this.#stage = stage
    this.#worker = worker
    this.#clock = given.clock
    this.#slots = given.slots
    this.#isQuiet = plan.trace!.never.includes(stage.node)
    this.#floats = memory.floats
    this.#serviceAt = worker.histograms.service! / 8 + SUM
    this.#servedNs = memory.floats[this.#serviceAt]!
    this.#spans = new SpanNames(memory, plan, worker, given.epoch)
    const witness = new Witness({ memory, plan, worker, redact: given.redact, onRefused: () => this.countRefused() })
    this.#asides = new Asides(witness)
  }

  get isDirty(): boolean {
    return this.#events.isDirty
  }

  /**
   * A chunk is to be sent, from its record `from` on.
   * @param composed of what lay apart: what it is made of
   */
  open(header: ChunkHeader, from: number, composed?: Composed): void {
    this.isOn = (header.trace & TRACED) !== 0 && !this.#isQuiet
    if (!this.isOn) return
    this.#header = header
    this.#from = from
    this.#takenAt = this.#clock.stamp
    this.#reset()
    const made = composed?.members?.()
    this.#batch = made && membersInputs(made)
    this.#asides.look(header, from, composed, made)
    this.#isDropping = !this.#events.hasRoom(MOST_EVENTS)
    if (!this.#isDropping) return
    header.trace |= GAP
    // Where nothing comes of a batch, it is its inputs that tell the source.
    for (const { header: each } of made ?? []) each.trace |= GAP
  }

  /** What handlers said of the chunk in hand; later words of a name stand. */
  note(notes: ReadonlyMap<string, AttributeValue> | undefined): void {
    if (notes !== undefined && this.isOn) this.#asides.note(notes)
  }

  /** The span of a chunk that is in hand, or of a batch. */
  spanOf(header: ChunkHeader): TraceContext | undefined {
    const slot = this.isTraced(header) ? this.#events.slotOf(header) : undefined
    return slot && this.#spans.of(header, header === this.#header ? this.#from : 0, slot)
  }

  isTraced(header: ChunkHeader): boolean {
    return (header.trace & TRACED) !== 0 && !this.#isQuiet
  }

  countRefused(): void {
    this.#events.countRefused()
  }

  /** Records went to a lane. @param header of their frame */
  sent(link: LinkPlan, header: ChunkHeader, origins: Origins, next: number, count: number, bytes: number): void {
    this.#outputs.push(link.edges.at(-1) ?? NO_EDGE, header.baseLow, header.baseHigh, header.first, count, bytes)
    const keepsIds = header.baseLow === this.#header.baseLow && header.baseHigh === this.#header.baseHigh
    const isMixed = origins.origin(next) < 0 || this.#isMixed(link)
    this.#origins.push(keepsIds || isMixed ? undefined : this.#runsOf(origins, next, count))
  }

  /** Records had no room on a lane that drops. */
  lost(link: LinkPlan, origin: number, count: number): void {
    const edge = link.dropEdge ?? link.edges[0]!
    if (this.#lost === undefined) this.#lost = { edge, origin, count }
    else this.#lost.count += count
  }

  /** The handler of a batch has made so many records. */
  made(results: number): void {
    this.#results = results
  }

  /** A record was given up. */
  gaveUp(member: Member, outcome: 'failed' | 'deadLettered', error: unknown): void {
    const known = this.#given[outcome]
    if (known !== undefined) return void known.members.push(member)
    const { name, message, code } = errorText(error)
    this.#given[outcome] = { members: [member], error: `${code ?? name}\n${message}` }
  }

  /** The portion that is sent had so many records; until then it is the rest of its chunk. */
  took(records: number): void {
    this.#taken = records
  }

  /** A hand-off tells of outputs in the middle of a chunk. */
  part(): void {
    if (!this.isOn || this.#outputs.length === 0) return
    this.#write({ kind: this.#kind, flags: EVENT_PART, inputs: this.#inputs(this.#count) })
    this.#outputs = []
    this.#origins = []
    if (this.#isDropping || this.#events.hasRoom(MOST_EVENTS)) return
    this.#isDropping = true
    this.#header.trace |= GAP
  }

  /** The source's predicate threw. */
  countThrow(): void {
    this.#events.countThrow()
  }

  /** All that came of the portion is sent. @param counts what it adds to the counters; @param at those of the stage's node */
  close(counts: Float64Array, at: number): void {
    if (!this.isOn) return
    const { done, filtered, failed, retried } = COUNTER
    const isSource = this.#stage.kind === 'source'
    const hasDone = counts[at + done]! > 0 || isSource
    const records = this.#count
    const inputs = this.#inputs(records)
    const serviceUs = this.#served()
    if (hasDone || this.#outputs.length > 0) {
      const outcome = hasDone ? 'ok' : counts[at + failed]! > 0 ? 'failed' : 'deadLettered'
      this.#write({ kind: this.#kind, inputs, outcome, serviceUs, records: isSource ? records : 0 })
    }
    this.#outputs = []
    this.#origins = []
    if (counts[at + filtered]! > 0)
      this.#write({ kind: 'filter', outcome: 'filtered', inputs, records: counts[at + filtered]! })
    if (counts[at + retried]! > 0)
      this.#write({ kind: 'retry', outcome: 'retried', inputs, serviceUs, records: counts[at + retried]! })
    this.#writeGiven('fail', 'failed')
    this.#writeGiven('dead', 'deadLettered')
    if (this.#lost !== undefined) this.#writeLost(this.#lost)
    this.isOn = false
  }

  /** Records of a chunk on a lane were too old for it. @param from the first one's index */
  droppedOldest(chunk: ChunkHeader, from: number, count: number, edge: number): void {
    if ((chunk.trace & TRACED) === 0 || this.#isQuiet) return
    const inputs = inputWords(chunk, from, count)
    inputs[0] = edge
    this.#put(chunk, { ...NOTHING, kind: 'drop', outcome: 'dropped', takenAt: this.#clock.stamp, inputs }, chunk)
  }

  /** All that came of a slot of this source is done. */
  end(slot: number): void {
    const slots = this.#slots!
    if (slots.trace(slot) === 0) return
    const failures = slots.failures(slot)
    const flags = slots.hasGap(slot) ? EVENT_GAP : 0
    const outcome = failures > 0 ? 'failed' : 'ok'
    const facts: EventFacts = { ...NOTHING, kind: 'end', outcome, flags, takenAt: slots.born(slot), records: failures }
    this.#put({ slot: anchorOf(this.#worker.source!, slot), furtherAnchors: [] }, facts)
  }

  stage(journal: Journal): void {
    this.#events.stage(journal, this.#clock.stamp)
  }

  get #kind(): EventFacts['kind'] {
    if (this.#stage.kind === 'source') return 'open'
    if (this.#batch !== undefined) return 'batch'
    return this.#stage.work === 'flatMap' ? 'emit' : 'hop'
  }

  #write(facts: Pick<EventFacts, 'kind' | 'inputs'> & Partial<EventFacts>): void {
    if (this.#isDropping) return void this.#events.drop(1)
    const header = this.#header
    const flags = ((header.trace & GAP) === 0 ? 0 : EVENT_GAP) | (facts.flags ?? 0)
    const isFirst = facts.kind === this.#kind
    const outputs = isFirst ? this.#outputs : NONE
    const origins = isFirst ? this.#origins : NONE
    const common = { attempt: header.attempt, takenAt: this.#takenAt, outputs, origins }
    const isWhole = this.#events.write(header, { ...NOTHING, ...common, ...this.#told(facts), ...facts, flags })
    // What it sent before cannot say so any more: whoever settles the chunk does.
    if (!isWhole) header.trace |= GAP
  }

  /** What only the first event of a hand-off says of its chunk. */
  #told({
    kind,
    inputs,
  }: Pick<EventFacts, 'kind' | 'inputs'>): ReturnType<Asides['take']> & Pick<EventFacts, 'parent'> {
    const slot = kind === 'open' ? this.#events.slotOf(this.#header) : undefined
    const parent = slot && this.#spans.parentWords(slot)
    let records = 0
    for (let at = COUNT; at < inputs.length; at += INPUT_WORDS) records += inputs[at]!
    return { ...this.#asides.take(records), ...(parent && { parent: Array.from(parent) }) }
  }

  /** An event by itself, where there is room for it beside those of the chunk that is being sent. */
  #put(anchors: Pick<ChunkHeader, 'slot' | 'furtherAnchors'>, facts: EventFacts, marked?: { trace: number }): void {
    const isWhole = this.#events.hasRoom(1 + (this.isOn && !this.#isDropping ? MOST_EVENTS : 0))
      ? this.#events.write(anchors, facts)
      : this.#events.drop(1)
    if (!isWhole && marked !== undefined) marked.trace |= GAP
  }

  #writeGiven(kind: 'fail' | 'dead', outcome: 'failed' | 'deadLettered'): void {
    const given = this.#given[outcome]
    if (given !== undefined) this.#write({ kind, outcome, inputs: membersInputs(given.members), error: given.error })
  }

  #writeLost({ edge, origin, count }: { edge: number; origin: number; count: number }): void {
    const inputs = inputWords(this.#header, origin, count)
    inputs[0] = edge
    this.#write({ kind: 'drop', outcome: 'dropped', inputs })
  }

  /** Records of the portion; those that a stage has taken say it, and a source. */
  get #count(): number {
    if (this.#taken > 0) return this.#taken
    return ((this.#header as { readonly count?: number }).count ?? 1) - this.#from
  }

  #inputs(records: number): number[] {
    return this.#batch ?? inputWords(this.#header, this.#from, records)
  }

  /** What a batch handler made of many records came of all of them, but where it made one for each. */
  #isMixed(link: LinkPlan): boolean {
    if (this.#batch === undefined || this.#stage.work !== 'mapBatch') return false
    const { from, pathType } = this.#plan.edges[link.edges[0]!]!
    // Failed records go by their own places.
    if (from === this.#stage.node && pathType !== 'normal') return false
    let records = 0
    for (let at = COUNT; at < this.#batch.length; at += INPUT_WORDS) records += this.#batch[at]!
    return this.#results !== records
  }

  /** Run lengths of the places that records came of; only the first place where each came of the next one. */
  #runsOf(origins: Origins, next: number, count: number): number[] {
    const runs: number[] = []
    const first = origins.origin(next) - this.#from
    let isPlain = true
    for (let i = 0; i < count; i++) {
      const place = origins.origin(next + i) - this.#from
      if (place !== first + i) isPlain = false
      if (i > 0 && runs.at(-2) === place) runs[runs.length - 1]!++
      else runs.push(place, 1)
    }
    return isPlain ? [first] : runs
  }

  /** Time in the handler since the last event that told of it. */
  #served(): number {
    const before = this.#servedNs
    this.#servedNs = this.#floats[this.#serviceAt]!
    return (this.#servedNs - before) / 1000
  }

  #reset(): void {
    this.#outputs = []
    this.#origins = []
    this.#given = { failed: undefined, deadLettered: undefined }
    this.#lost = undefined
    this.#results = 0
    this.#taken = 0
    this.#asides.forget()
  }
}

/** Records that were given up in one way: the first one's error stands for all. */
interface Given {
  readonly members: Member[]
  readonly error: string
}

const NONE: readonly never[] = Object.freeze([])
const NOTHING = {
  outcome: 'ok' as const,
  flags: 0,
  attempt: 0,
  takenAt: 0,
  serviceUs: 0,
  records: 0,
  inputs: NONE,
  outputs: NONE,
  origins: NONE,
}
