import { MillraceError } from '../../errors.ts'
import type { Heads } from '../../lane/heads.ts'
import type { Context, TraceContext } from '../../plan/definition.ts'
import type { BatchView } from './batch-view.ts'
import type { ChunkHeader } from '../../lane/writer.ts'
import { recordIdOf } from '../chunk.ts'
import { type AttributeValue, Notes } from './notes.ts'

/** What a worker's contexts have in common. */
export interface WorkerFacts {
  readonly node: string
  readonly worker: number
  readonly workers: number
  readonly state: unknown
  readonly params: unknown
  /** Each source above has one record in a chunk. */
  readonly canRelease: boolean
  /** Branches that the node has edges for. */
  readonly branches: ReadonlySet<string>
  /** Absent where nothing is traced. */
  readonly tracing?: CallTracing | undefined
  /** Absent where no source above gives its records heads. */
  readonly heads?: Heads | undefined
  /**
   * The time at which it is asked, in ms of the monotonic clock: what expires by then is not called. Absent where nothing expires; long
   * ago while what was left half sent is made again, which goes as it went.
   */
  readonly expiresBy?: (() => number) | undefined
}

/** What calls have to do with tracing. */
interface CallTracing {
  /** The span of a chunk in hand; undefined where it is not traced. */
  spanOf(header: ChunkHeader): TraceContext | undefined
  isTraced(header: ChunkHeader): boolean
  /** An attribute was refused. */
  countRefused(): void
}

/** A handler's context. Sync handlers of a worker share one; each open call of an async one has its own. */
export class CallContext implements Context {
  readonly node: string
  readonly worker: number
  readonly workers: number
  readonly state: unknown
  readonly params: unknown
  attempt = 1
  preloaded: unknown
  readonly #emitted: [branch: string, record: unknown][] = []
  #failed = new Map<unknown, unknown[]>()
  #failedAt: Map<number, unknown> | undefined
  #batch: BatchView | undefined
  /** Of a batch that is called without some of its records: where the others are in it. */
  #places: readonly number[] | undefined
  readonly #branches: ReadonlySet<string>
  readonly #canRelease: boolean
  readonly #stopped: AbortSignal
  #call: AbortController | undefined
  readonly #tracing: CallTracing | undefined
  readonly #heads: Heads | undefined
  #notes: Notes | undefined
  #header: ChunkHeader | undefined
  #index = 0

  /** @param stopped aborted when the pipeline stops */
  constructor(facts: WorkerFacts, stopped: AbortSignal) {
    this.node = facts.node
    this.worker = facts.worker
    this.workers = facts.workers
    this.state = facts.state
    this.params = facts.params
    this.#stopped = stopped
    this.#branches = facts.branches
    this.#canRelease = facts.canRelease
    this.#tracing = facts.tracing
    this.#heads = facts.heads
  }

  /** What the call sent to branches, as pairs. Goes out only when the call ends well. */
  get emitted(): [branch: string, record: unknown][] {
    return this.#emitted
  }

  /** Batch handlers: records that the handler gave up, with a reason for each call, in their order. */
  get failed(): Map<unknown, unknown[]> {
    return this.#failed
  }

  /** The same by their index. */
  get failedAt(): ReadonlyMap<number, unknown> | undefined {
    return this.#failedAt
  }

  get batch(): BatchView | undefined {
    return this.#batch
  }

  /**
   * Takes why the handler failed its record without throwing, as an object; undefined where it did not. It stands among what was
   * emitted, so that whoever has looked there need not ask.
   */
  takeFailure(): { readonly error: unknown } | undefined {
    const at = this.#emitted.findIndex(([branch]) => branch === FAILED)
    if (at < 0) return undefined
    const [, error] = this.#emitted[at]!
    this.#emitted.splice(at, 1)
    return { error }
  }

  /** Takes what the call said to sources, beside what it emitted. */
  takeSaid(): readonly Said[] {
    if (this.#emitted.length === 0) return NOTHING_SAID
    const said = this.#emitted.filter(isSaid) as Said[]
    if (said.length === 0) return NOTHING_SAID
    const rest = this.#emitted.filter((each) => !isSaid(each))
    this.#emitted.length = 0
    this.#emitted.push(...rest)
    return said
  }

  /** The last note of a call that failed. */
  takeNote(): string | undefined {
    return this.takeSaid().findLast(([kind]) => kind === NOTE_SAID)?.[1] as string | undefined
  }

  /** Forgets what the call sent and gave up: it is dealt with, or the call failed. */
  forget(): void {
    this.#emitted.length = 0
    this.#failedAt = undefined
    // Not cleared: see `Settlement.stage`.
    if (this.#failed.size > 0) this.#failed = new Map()
  }

  /** The record, or the batch, that the next call is for. */
  aim(header: ChunkHeader, index: number, attempt: number, batch?: BatchView): void {
    this.#batch = batch
    this.#places = undefined
    this.#header = header
    this.#index = index
    this.#call = undefined
    this.attempt = attempt
  }

  /** The same for a call in the middle of another one, whose attempt it has. */
  aimInline(header: ChunkHeader, index: number, attempt: number): void {
    this.#header = header
    this.#index = index
    this.attempt = attempt
    // A call that threw has left what it said.
    if (this.#emitted.length > 0) this.#emitted.length = 0
  }

  /** The record of the call in hand lies elsewhere now: the call goes on. */
  moveUnder(header: ChunkHeader): void {
    this.#header = header
    this.#index = 0
  }

  /** The next call is for another record of the same chunk, at the same attempt. */
  moveTo(index: number): void {
    this.#index = index
    // Looked at before it is stored to: almost no call makes one.
    if (this.#call !== undefined) this.#call = undefined
  }

  /** Made when it is looked at: most handlers never do. */
  get signal(): AbortSignal {
    this.#call ??= new AbortController()
    return AbortSignal.any([this.#stopped, this.#call.signal])
  }

  /** Tells the call in hand that its time is over: also where it looks at its signal only later. */
  abort(reason: unknown): void {
    this.#call ??= new AbortController()
    this.#call.abort(reason)
  }

  get id(): string {
    return recordIdOf(this.#header!, this.#index)
  }

  get meta(): unknown {
    return this.#header && this.#heads?.metaOf(this.#header.slot)
  }

  /** Whether the record in hand has expired. @param now in ms of the monotonic clock */
  isExpired(now: number): boolean {
    return this.#heads?.isExpired(this.#header!.slot, now) === true
  }

  /** From here on the batch is that of the records at these indexes. */
  narrow(places: readonly number[]): void {
    this.#batch = this.#batch!.only(places)
    this.#places = places
  }

  get trace(): TraceContext | undefined {
    return this.#header && this.#tracing?.spanOf(this.#header)
  }

  readonly attribute = (name: string, value: AttributeValue): void => {
    const tracing = this.#tracing
    if (tracing === undefined || this.#header === undefined || !tracing.isTraced(this.#header)) return
    this.#notes ??= new Notes()
    if (!this.#notes.set(name, value)) tracing.countRefused()
  }

  /** What was said of the call, or of those since the last time; undefined where nothing was. */
  takeNotes(): ReadonlyMap<string, AttributeValue> | undefined {
    return this.#notes === undefined || this.#notes.isEmpty ? undefined : this.#notes.take()
  }

  readonly emit = (branch: string, record: unknown): void => {
    if (!this.#branches.has(branch))
      throw new MillraceError('ROUTE_UNKNOWN', { node: this.node, branch, branches: [...this.#branches] })
    this.#emitted.push([branch, record])
  }

  readonly note = (value: unknown): void => {
    this.#emitted.push([NOTE_SAID, noteText(this.node, value)])
  }

  readonly release = (...records: [record?: unknown]): void => {
    if (!this.#canRelease) throw new MillraceError('RELEASE_REFUSED', { node: this.node })
    this.#emitted.push([RELEASE_SAID, records.length === 0 || this.#batch === undefined ? undefined : records])
  }

  readonly fail = (record: unknown, reason: unknown): void => {
    if (this.#batch === undefined) return void this.#emitted.push([FAILED, reason])
    const reasons = this.#failed.get(record)
    if (reasons === undefined) this.#failed.set(record, [reason])
    else reasons.push(reason)
  }

  readonly failAt = (index: number, reason: unknown): void => {
    const records = this.#batch?.size ?? 1
    if (!Number.isInteger(index) || index < 0 || index >= records)
      throw new MillraceError('FAIL_INDEX_INVALID', { node: this.node, index, records })
    if (this.#batch === undefined) return this.fail(undefined, reason)
    const place = this.#places?.[index] ?? index
    this.#failedAt ??= new Map()
    if (!this.#failedAt.has(place)) this.#failedAt.set(place, reason)
  }
}

/** Branches that no edge has: what a call says of its records. They stand for the failure of one; for a note; for a release. */
const FAILED = '\0failed'
export const NOTE_SAID = '\0noted'
export const RELEASE_SAID = '\0released'

/** What a call said to sources: the text of a note; the record that is released, in a list, or undefined for all. */
export type Said = readonly [typeof NOTE_SAID, string] | readonly [typeof RELEASE_SAID, readonly unknown[] | undefined]

const NOTHING_SAID: readonly Said[] = Object.freeze([])

function isSaid([branch]: readonly [string, unknown]): boolean {
  return branch === NOTE_SAID || branch === RELEASE_SAID
}

const NOTE_BYTES = 1_024

/** A note as the source is told of it: JSON with one field, `note`. */
function noteText(node: string, value: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify({ note: value })
  } catch {
    // A cycle, a BigInt, or a `toJSON` that throws.
  }
  if (text !== undefined && Buffer.byteLength(text) <= NOTE_BYTES + '{"note":}'.length) return text
  throw new MillraceError('NOTE_INVALID', { node, most: NOTE_BYTES })
}
