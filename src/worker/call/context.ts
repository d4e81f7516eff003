import { MillraceError } from '../../errors.ts'
import type { BatchFacts, Context, TraceContext } from '../../plan/definition.ts'
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
  /** Branches that the node has edges for. */
  readonly branches: ReadonlySet<string>
  /** Absent where nothing is traced. */
  readonly tracing?: CallTracing | undefined
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
  readonly #emitted: [branch: string, record: unknown][] = []
  #failed = new Map<unknown, unknown[]>()
  #failedAt: Map<number, unknown> | undefined
  #batch: BatchFacts | undefined
  readonly #branches: ReadonlySet<string>
  readonly #stopped: AbortSignal
  #call: AbortController | undefined
  readonly #tracing: CallTracing | undefined
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
    this.#tracing = facts.tracing
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

  get batch(): BatchFacts | undefined {
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

  /** Forgets what the call sent and gave up: it is dealt with, or the call failed. */
  forget(): void {
    this.#emitted.length = 0
    this.#failedAt = undefined
    // Not cleared: see `Settlement.stage`.
    if (this.#failed.size > 0) this.#failed = new Map()
  }

  /** The record, or the batch, that the next call is for. */
  aim(header: ChunkHeader, index: number, attempt: number, batch?: BatchFacts): void {
    this.#batch = batch
    this.#header = header
    this.#index = index
    this.#call = undefined
    this.attempt = attempt
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

  /** Tells the call in hand that its time is over. */
  abort(reason: unknown): void {
    this.#call?.abort(reason)
  }

  get id(): string {
    return recordIdOf(this.#header!, this.#index)
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
    this.#failedAt ??= new Map()
    if (!this.#failedAt.has(index)) this.#failedAt.set(index, reason)
  }
}

/** A branch that no edge has: it stands for the failure of a record. */
const FAILED = '\0failed'
