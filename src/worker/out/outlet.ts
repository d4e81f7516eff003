import { type ErrorCode, MillraceError, isMillraceError } from '../../errors.ts'
import type { Failure } from '../../plan/definition.ts'
import type { Journal } from '../../lane/journal.ts'
import type { Memory } from '../../memory/memory.ts'
import type { ChunkHeader } from '../../lane/writer.ts'
import type { Plan, PortPlan, StagePlan, WorkerPlan } from '../../plan/types.ts'
import { COUNTER, EDGE_COUNTER } from '../../memory/counters.ts'
import { GAP } from '../../memory/lane.ts'
import { dispatcherOf } from './dispatch.ts'
import type { Handlers } from '../call/handlers.ts'
import { type Composed, portionOf, recordIdOf } from '../chunk.ts'
import { LinkWriter, type Refuse } from './link-writer.ts'
import { leftOf } from './left-of.ts'
import type { CallContext, Said, WorkerFacts } from '../call/context.ts'
import { type Fault, type OnFault, type Outcome, failureOf, located } from './failure.ts'
import { inlineOf } from './inline.ts'
import { linksThatKeepIds } from './keeps-ids.ts'
import { InlinePort, LinkPort, NodeOutlet, type Port } from './node-outlet.ts'
import { SelectingPort } from './selecting-port.ts'
import { SourceNews } from './source-news.ts'
import type { Settlement } from './settlement.ts'
import type { Member } from '../chunk.ts'
import type { Recorder } from '../trace/recorder.ts'
import { wallMs } from '../../time.ts'

/** What counts records that failed for reasons of this library, beside those that failed. */
const COUNTER_OF: Readonly<Partial<Record<ErrorCode, number>>> = {
  RECORD_POISONED: COUNTER.crashed,
  RECORD_EXPIRED: COUNTER.expired,
}

/**
 * A worker's writing side: where the outputs of its handler go. Conditionals, inline buffers and merges, and fused nodes run
 * here, record by record; links write to lanes, chunk by chunk.
 */
export class Outlet {
  /** The stage's own node. */
  readonly root: NodeOutlet
  readonly #nodes: readonly NodeOutlet[]
  readonly #links: LinkWriter[] = []
  readonly #resizable: readonly LinkWriter[]
  readonly #settlement: Settlement
  readonly #handlers: Handlers
  /** What each link calls for a record that it cannot send. */
  readonly #refusals: Refuse[] = []
  /** Failures on their way to an edge. */
  readonly #failures = new WeakMap<Failure, SentFailure>()
  readonly #onFault: OnFault
  readonly #recorder: Recorder | undefined
  readonly #facts: WorkerFacts
  readonly #stopped: AbortSignal
  readonly #counters: Float64Array
  /** What the chunk in hand adds to the counters and to the failures: known to others only once it is wholly done. */
  readonly #pending: Float64Array
  /** What the chunk in hand says to its sources. */
  readonly #news: SourceNews
  #chunk: ChunkHeader | undefined
  /** What the links send is named by this. */
  #portion!: ChunkHeader
  /** Undefined until it was said: what an earlier life said may still stand. */
  #isWanting: boolean | undefined
  #records = 0
  /** Inputs of the chunk in hand of which an output was refused: each is given up once, however many outputs it had. */
  #refused = new Set<number>()
  /** Of the chunk in hand: values that a link has refused. Another edge's copy of one is given up with it. */
  #refusedBy = new Map<unknown, LinkWriter>()
  /** An earlier life may have begun records in fragments that are not coming. */
  #mayHaveBroken = true
  /** Something of the chunk in hand is on a lane. */
  #hasSent = false
  /** Each record of a batch is sent under its own chunk, which stands here by its index. */
  #members: readonly Member[] | undefined
  readonly #isEach: boolean

  constructor(given: {
    memory: Memory
    plan: Plan
    stage: StagePlan
    worker: WorkerPlan
    /** The journal's. */
    counters: Float64Array
    settlement: Settlement
    handlers: Handlers
    onFault: OnFault
    /** Absent where nothing is traced. */
    recorder?: Recorder | undefined
    facts: WorkerFacts
    stopped: AbortSignal
  }) {
    this.#facts = given.facts
    this.#stopped = given.stopped
    this.#settlement = given.settlement
    this.#news = new SourceNews(given.settlement)
    this.#handlers = given.handlers
    this.#onFault = given.onFault
    this.#recorder = given.recorder
    this.#counters = given.counters
    this.#pending = new Float64Array(given.counters.length)
    this.#isEach = given.stage.work === 'mapEach'
    this.#nodes = given.stage.nodes.map((node) => new NodeOutlet(node, this.#pending))
    this.root = this.#nodes[0]!
    const keepsIds = linksThatKeepIds(given.stage)
    const linkOf = (port: PortPlan): LinkWriter => {
      const link = given.plan.links[port.link!]!
      const ends = given.worker.outputs.filter((end) => end.link === link.index)
      const functions = given.handlers.dispatch(link)
      const { memory, plan, counters, settlement } = given
      const at = port.counters
      const writer = new LinkWriter({
        memory,
        plan,
        link,
        ends,
        dispatcherOf: (lanes, sentBefore) => dispatcherOf(link, functions, lanes, sentBefore),
        counters,
        at,
        settlement,
        keepsIds: keepsIds.has(link.index),
        recorder: given.recorder,
      })
      this.#links.push(writer)
      return writer
    }
    for (const node of this.#nodes) this.#connect(node, linkOf)
    this.#resizable = this.#links.filter(({ isResizable }) => isResizable)
  }

  /**
   * Starts sending what comes of `chunk`, of which so many records are in hand.
   * @param from where what comes of it is sent in portions: the first record of this one. Each has ids of its own
   * @param composed of what lay apart: what it is made of
   */
  open(chunk: ChunkHeader, records: number, from = 0, composed?: Composed): void {
    if (this.#recorder !== undefined) this.#recorder.open(chunk, from, composed)
    if (this.#isEach) {
      this.#members = composed!.members!()
      for (const link of this.#links) link.members = this.#members
    }
    this.#chunk = chunk
    this.#portion = from === 0 ? chunk : portionOf(chunk, from)
    this.#records = records
    this.#hasSent = false
  }

  /** Sends a record to all edges of a node that have no branch. */
  send(node: NodeOutlet, value: unknown, origin: number): void {
    const { out } = node
    for (let i = 0; i < out.length; i++) out[i]!.send(value, origin)
  }

  /**
   * Sends values[from], … before `to`, one for each input with the same index, to all edges that have no branch. The array
   * may be kept until the chunk is closed: the caller makes a new one for the next chunk.
   */
  sendRun(node: NodeOutlet, values: ArrayLike<unknown>, from: number, to: number): void {
    if (this.#recorder?.isOn === true) this.#recorder.made(to - from)
    const { out } = node
    for (let i = 0; i < out.length; i++) out[i]!.sendRun(values, from, to)
  }

  /** Sends a record to the edges of a branch. */
  emit(node: NodeOutlet, branch: string, value: unknown, origin: number): void {
    const ports = node.branches.get(branch)
    if (ports === undefined)
      throw new MillraceError('ROUTE_UNKNOWN', { node: node.plan.node, branch, branches: [...node.branches.keys()] })
    for (let i = 0; i < ports.length; i++) ports[i]!.send(value, origin)
  }

  /**
   * Gives a record up: to the error edge, else to the dead-letter edge, else it is nacked.
   * @param member the chunk that the record counts for, and its place there, where that is not the one in hand: a batch has many
   * @param isCounted false for a further output of an input that was given up before: it is told, and counts no more
   */
  giveUp(
    node: NodeOutlet,
    input: unknown,
    origin: number,
    given: Fault,
    member: Member = this.#memberOf(origin),
    isCounted = true,
  ): void {
    const owner = member.header
    const fault = { ...given, error: located(given.error, node.plan.node) }
    const ports = node.error.length > 0 ? node.error : node.deadLetter
    const outcome: Outcome = ports.length === 0 ? 'failed' : node.error.length > 0 ? 'error' : 'deadLettered'
    if (outcome !== 'failed') {
      this.#sendFailure(ports, failureOf(node.plan.node, input, fault, this.#facts.heads?.metaOf(owner.slot)), origin, {
        node,
        owner,
        outcome,
        isCounted,
        why: this.#news.reasonOf(node.plan.node, fault),
      })
    }
    if (isCounted && (outcome === 'failed' || node.isNacking))
      this.#news.nack(owner, this.#news.reasonOf(node.plan.node, fault))
    if (given.note !== undefined && isCounted) this.#news.note(owner, given.note)
    // A source counts its records when their slots end.
    const isOwnSource = node === this.root && node.plan.kind === 'source'
    if (!isOwnSource && isCounted) {
      node.count(outcome === 'deadLettered' ? COUNTER.deadLettered : COUNTER.failed, 1)
      const counter = isMillraceError(given.error) ? COUNTER_OF[given.error.code] : undefined
      if (counter !== undefined) node.count(counter, 1)
    }
    this.#tellGivenUp(node, input, fault, outcome, member, isCounted)
  }

  /** Aims the context of a fused node at the record in hand with this index. */
  aim(context: CallContext, origin: number): void {
    const member = this.#members?.[origin]
    const header = member?.header ?? this.#chunk!
    const attempt = this.#handlers.context?.attempt ?? header.attempt + 1
    context.aimInline(header, member?.index ?? Math.max(0, origin), attempt)
  }

  /** What a fused handler said for those who trace the record. */
  note(context: CallContext): void {
    this.#recorder?.note(context.takeNotes())
  }

  /** What the handler said of a record to its source, where its call has ended well. */
  said(said: readonly Said[], { header }: Member): void {
    this.#news.take(said, header)
  }

  /** The same of a record of the chunk in hand. */
  saidOf(said: readonly Said[], origin: number): void {
    if (said.length > 0) this.said(said, this.#memberOf(origin))
  }

  /** Records that went with another one to an error or dead-letter edge, as one failure: they are nacked as that one is. */
  nackToo(node: NodeOutlet, members: readonly Member[], given: Fault): void {
    if (!node.isNacking) return
    const why = this.#news.reasonOf(node.plan.node, given)
    for (const { header } of members) this.#news.nack(header, why)
  }

  /** Nacks a record of a source's chunk in hand that is not there to be sent to any edge. */
  nack(index: number, fault: Fault): void {
    const member = this.#memberOf(index)
    this.#news.nack(member.header, this.#news.reasonOf(this.root.plan.node, fault))
    this.#tellGivenUp(this.root, undefined, fault, 'failed', member, true)
  }

  #tellGivenUp(
    node: NodeOutlet,
    input: unknown,
    fault: Fault,
    outcome: Outcome,
    { header, index }: Member,
    isCounted: boolean,
  ): void {
    this.#onFault(node.plan.node, input, fault, outcome, recordIdOf(header, index))
    const recorder = this.#recorder
    if (recorder?.isOn === true && isCounted)
      recorder.gaveUp({ header, index }, outcome === 'deadLettered' ? 'deadLettered' : 'failed', fault.error)
  }

  #memberOf(origin: number): Member {
    return this.#members?.[origin] ?? { header: this.#chunk!, index: Math.max(0, origin) }
  }

  #sendFailure(ports: readonly Port[], failure: Failure, origin: number, sent: SentFailure): void {
    this.#failures.set(failure, sent)
    for (const port of ports) port.send(failure, origin)
  }

  /** Counts something of the stage's own node that belongs to no chunk in hand. */
  tally(counter: number, records: number): void {
    this.#counters[this.root.at + counter]! += records
  }

  /** Records that could be sent now, if they all took the edge with most credit. */
  demand(): number {
    let most = 0
    for (const link of this.#links) most = Math.max(most, link.credit())
    return this.#links.length === 0 ? Infinity : most
  }

  /** Tells the readers below that this worker waits for credit. */
  want(wanting: boolean): void {
    if (wanting === this.#isWanting) return
    this.#isWanting = wanting
    for (const link of this.#links) link.want(wanting)
  }

  /** Writes what waits to the lanes; false where some of it has no credit or room yet. */
  flush(stamp: number): boolean {
    const before = this.waiting
    const isWhole = !this.#hasSent && before === this.#records
    let isDone = true
    // What a link refuses may go to one that was flushed before it.
    do {
      for (let i = 0; i < this.#links.length; i++) {
        const link = this.#links[i]!
        const { waiting } = link
        if (waiting === 0) continue
        if (!link.flush(this.#portion, isWhole && waiting === this.#records, stamp, this.#refusals[i]!)) isDone = false
      }
    } while (isDone && this.waiting > 0)
    if (!isDone && this.waiting < before) this.#hasSent = true
    if (isDone) this.want(false)
    else this.#isWanting = true
    return isDone
  }

  /** Records that wait for lanes. */
  get waiting(): number {
    let waiting = 0
    for (const link of this.#links) waiting += link.waiting
    return waiting
  }

  /** All that came of the chunk is on the lanes: its counts stand, and the next one may be opened. */
  close(): void {
    for (const link of this.#links) link.endChunk()
    this.#recorder?.close(this.#pending, this.root.at)
    this.#tellGap()
    for (let i = 0; i < this.#pending.length; i++) this.#counters[i]! += this.#pending[i]!
    this.#pending.fill(0)
    this.#news.tell()
    // Not cleared: see `Settlement.stage`.
    if (this.#refused.size > 0) this.#refused = new Set()
    if (this.#refusedBy.size > 0) this.#refusedBy = new Map()
    this.#chunk = undefined
  }

  /** Ends records in fragments that an earlier life began, as soon as there is room to say so. */
  abortFragments(stamp: number): void {
    if (!this.#mayHaveBroken) return
    this.#mayHaveBroken = false
    for (const link of this.#links) this.#mayHaveBroken = !link.abortFragments(stamp) || this.#mayHaveBroken
  }

  /** From the next hand-off on, nothing is sent any more. @returns whether that is news */
  end(): boolean {
    let isNews = false
    for (const link of this.#links) isNews = link.end() || isNews
    return isNews
  }

  /** From the next hand-off on, the marker of a flush stands behind all that was sent. */
  putMarker(number: number): void {
    for (const link of this.#links) link.putMarker(number)
  }

  /** Number of the last flush whose marker was sent: 0 where nothing is sent at all. */
  get mark(): number {
    return this.#links[0]?.mark ?? 0
  }

  /** All that was sent is with the next stages: whatever comes by other workers from now on comes after it. */
  get isDrained(): boolean {
    return this.#links.every((link) => link.isDrained)
  }

  /** A stage below is resized, and the links to it may follow. */
  get isBehind(): boolean {
    for (const link of this.#resizable) if (link.isBehind) return true
    return false
  }

  /** Lets those links follow. That is to be handed off before all else. */
  reroute(): void {
    for (const link of this.#resizable) if (link.isBehind) link.reroute()
  }

  get hasUncommitted(): boolean {
    for (const link of this.#links) if (link.hasUncommitted) return true
    return false
  }

  markResume(): void {
    this.#recorder?.part()
    this.#tellGap()
    for (const link of this.#links) link.markResume()
  }

  stage(journal: Journal): void {
    for (const link of this.#links) link.stage(journal)
  }

  wakePeers(all: boolean): void {
    for (const link of this.#links) link.wakePeers(all)
  }

  /** The frames of a chunk may be sent when its event finds no room. */
  #tellGap(): void {
    const chunk = this.#chunk
    if (chunk !== undefined && (chunk.trace & GAP) !== 0) this.#settlement.gap(chunk)
  }

  /** A record that no codec takes, or that is too large: the node that sent it gives it up. */
  #refuse(link: LinkWriter, origin: number, value: unknown, error: unknown): void {
    const sent = this.#failures.get(value as Failure)
    if (sent !== undefined) return this.#refuseFailure(link, origin, value as Failure, sent)
    if ((this.#refusedBy.get(value) ?? link) !== link) return
    if (typeof value === 'object' && value !== null) this.#refusedBy.set(value, link)
    const isSource = this.root.plan.kind === 'source'
    // A batch may have more outputs than records that are done.
    const isCounted = !this.#refused.has(origin) && (isSource || this.#pending[this.root.at + COUNTER.done]! > 0)
    this.#refused.add(origin)
    if (isCounted && !isSource) this.root.count(COUNTER.done, -1)
    const fault = { error, attempts: this.#chunk!.attempt + 1, firstFailedAt: wallMs() }
    this.giveUp(this.root, value, origin, fault, undefined, isCounted)
  }

  /**
   * The input of a failure cannot be sent: what is left of it can, or nothing of it. Where the edge takes no failures at all, the
   * record is nacked.
   */
  #refuseFailure(link: LinkWriter, origin: number, { input, ...rest }: Failure, sent: SentFailure): void {
    for (const left of leftOf(input)) {
      const told = { input: left, ...rest }
      this.#failures.set(told, sent)
      try {
        return link.add(told, origin)
      } catch {
        // The next stage's key or selector cannot do without the input.
      }
    }
    const { node, owner, outcome, isCounted, why } = sent
    if (!isCounted || !node.isNacking) this.#news.nack(owner, why)
    if (outcome !== 'deadLettered' || !isCounted) return
    node.count(COUNTER.deadLettered, -1)
    node.count(COUNTER.failed, 1)
  }

  #connect(node: NodeOutlet, linkOf: (port: PortPlan) => LinkWriter): void {
    const portsOf = (ports: readonly PortPlan[]): Port[] => ports.map((port) => this.#port(node, port, linkOf))
    node.out = portsOf(node.plan.out)
    node.branches = new Map(node.plan.branches.map(({ when, ports }) => [when, portsOf(ports)]))
    node.error = portsOf(node.plan.error)
    node.deadLetter = portsOf(node.plan.deadLetter)
    node.retry = portsOf(node.plan.retry)
  }

  #port(from: NodeOutlet, port: PortPlan, linkOf: (port: PortPlan) => LinkWriter): Port {
    if (port.link !== undefined) {
      const writer = linkOf(port)
      const refuse: Refuse = (origin, value, error) => this.#refuse(writer, origin, value, error)
      this.#refusals.push(refuse)
      return this.#selecting(port, new LinkPort(writer, refuse), (value, origin, error) => refuse(origin, value, error))
    }
    const node = this.#nodes[port.node!]!
    const run = inlineOf(this, { facts: this.#facts, stopped: this.#stopped, handlers: this.#handlers }, node)
    const { counters } = from
    const records = port.counters + EDGE_COUNTER.records
    const fail = (value: unknown, origin: number, error: unknown): void =>
      this.giveUp(node, value, origin, { error, attempts: 1, firstFailedAt: wallMs() })
    const own = new InlinePort((value, origin) => {
      counters[records]!++
      node.count(COUNTER.in, 1)
      try {
        run(value, origin)
      } catch (error) {
        fail(value, origin, error)
      }
    })
    return this.#selecting(port, own, (value, origin, error) => {
      counters[records]!++
      node.count(COUNTER.in, 1)
      fail(value, origin, error)
    })
  }

  #selecting(
    { selectors }: PortPlan,
    port: Port,
    fail: (value: unknown, origin: number, error: unknown) => void,
  ): Port {
    return selectors === undefined ? port : new SelectingPort(port, this.#handlers.selects(selectors), fail)
  }
}

/** Whose a failure is that goes to an edge. */
interface SentFailure {
  readonly node: NodeOutlet
  readonly owner: ChunkHeader
  readonly outcome: Outcome
  readonly isCounted: boolean
  readonly why: string | undefined
}
