import { deserialize } from 'node:v8'
import { MillraceError } from '../../errors.ts'
import { within } from '../../running-time.ts'
import type { Pipeline } from '../../supervisor/pipeline.ts'
import type { Report } from '../../supervisor/report.ts'
import { monotonicMs } from '../../time.ts'
import type { FlowHooks } from '../data.ts'
import type { DoneStep } from '../done-steps.ts'
import { KnownRequests } from '../known-requests.ts'
import { RequestBooks } from '../request-books.ts'
import type { RequestHold } from '../request-hold.ts'
import { RequestRuns } from '../request-runs.ts'
import type { Request } from '../request.ts'
import { unpackRecord } from '../saved-record.ts'
import type { RequestCommand, SharedFlowStore, SharedRequest } from '../store/shared-store.ts'
import type { RequestTable } from '../table.ts'
import { FencedArchive } from './fenced-archive.ts'
import { Lease } from './lease.ts'

/** Taken in one go, at most: the next ones may be another instance's. */
const AT_ONCE = 16

interface TakenRequestsSettings {
  readonly store: SharedFlowStore
  readonly leaseMs: number
  readonly table: RequestTable
  readonly maxRequests: number
  readonly hooks: FlowHooks
  readonly undoable: ReadonlySet<string>
  readonly itemEnds: ReadonlyMap<string, string>
}

/** The requests that this instance has taken from a store, and runs. */
export class TakenRequests implements RequestHold {
  readonly #pipeline: Pipeline
  readonly #store: SharedFlowStore
  readonly #maxRequests: number
  readonly #archive: FencedArchive
  readonly #lease: Lease
  readonly #known = new KnownRequests({ keepRequests: 0, keepMs: Infinity, keepBytes: Infinity }, () => undefined)
  readonly #books: RequestBooks
  readonly #runs: RequestRuns
  /** Those too that are leaving: nobody takes a request anew while something of it runs here. */
  readonly #taken = new Map<string, Request>()
  #isClosed = false
  #isAsked = false
  #looking: Promise<void> | undefined
  #onEmpty: () => void = () => undefined

  constructor(pipeline: Pipeline, { store, leaseMs, ...settings }: TakenRequestsSettings) {
    this.#pipeline = pipeline
    this.#store = store
    this.#maxRequests = settings.maxRequests
    this.#archive = new FencedArchive(store, pipeline.name)
    this.#lease = new Lease(store, settings.table, leaseMs, () => this.#leaveAll())
    const shared = { ...settings, known: this.#known, archive: this.#archive, hold: this, keepsSteps: true }
    this.#books = new RequestBooks(pipeline, shared)
    this.#runs = new RequestRuns(pipeline, { ...shared, books: this.#books }, () => void this.#close())
  }

  /** @throws what the store says */
  async start(): Promise<void> {
    await this.#lease.start()
    this.look()
  }

  get isHeld(): boolean {
    return this.#lease.isHeld
  }

  /** By what the store knows this instance. */
  get instance(): string {
    return this.#lease.instance
  }

  /** How many changes were dropped because another instance has taken their requests. */
  get dropped(): number {
    return this.#archive.dropped
  }

  left(request: Request): void {
    this.#known.drop(request)
    if (this.#taken.get(request.id) === request) this.#taken.delete(request.id)
    // What has ended is nobody's; what was lost is others'.
    if (request.isOpen && this.isHeld) void this.#archive.release(request)
    if (this.#taken.size === 0) this.#onEmpty()
    this.look()
  }

  /** Takes what there is room for. */
  look(): void {
    this.#isAsked = true
    this.#looking ??= this.#lookOn()
  }

  /** Does what others ask for the requests of this instance. */
  async obey(): Promise<void> {
    if (!this.isHeld) return
    const asked = await this.#store.asked(this.#pipeline.name, this.instance)
    for (const [id, command] of asked) {
      const request = this.#taken.get(id)
      if (request !== undefined) this.#do(request, command)
    }
  }

  /** Takes no more, gives back what can go on elsewhere, and ends the pipeline. @throws what stopped it */
  async drain(deadlineMs: number): Promise<Report> {
    const startedAt = monotonicMs()
    this.#isClosed = true
    await this.#looking
    const empty = new Promise<void>((resolve) => (this.#onEmpty = resolve))
    this.#leaveAll()
    if (this.#taken.size > 0 && deadlineMs > 0) await within(deadlineMs, empty)
    const left = deadlineMs > 0 ? Math.max(0, deadlineMs - (monotonicMs() - startedAt)) : deadlineMs
    try {
      return await this.#pipeline.drain({ deadlineMs: left })
    } finally {
      await this.#close()
    }
  }

  async #close(): Promise<void> {
    this.#isClosed = true
    await this.#archive.close()
    await this.#lease.close()
  }

  /** No step of any of them is called here any more. */
  #leaveAll(): void {
    for (const request of this.#taken.values()) this.#runs.leave(request)
  }

  async #lookOn(): Promise<void> {
    // Whatever else is said in this turn of the event loop goes with it.
    await Promise.resolve()
    while (this.#isAsked && !this.#isClosed && this.isHeld) {
      this.#isAsked = false
      // A store that is away is looked at again later.
      await this.#take().catch(() => undefined)
    }
    this.#looking = undefined
  }

  async #take(): Promise<void> {
    const { instance } = this
    const room = Math.min(AT_ONCE, Math.max(0, this.#maxRequests - this.#taken.size))
    const found = await this.#store.take(this.#pipeline.name, instance, room, [...this.#taken.keys()])
    // What was taken by a name that is lost is others'.
    if (!this.isHeld || instance !== this.instance) return
    for (const each of found) this.#takeUp(each)
    if (room > 0 && found.length >= room) this.#isAsked = true
  }

  #takeUp({ id, data, steps, epoch, asked, startedAt }: SharedRequest): void {
    const record = unpackRecord(data)
    const found = { ...record, startedAt: record.startedAt ?? startedAt }
    const request = this.#books.restore({
      id,
      record: found,
      steps: steps.map((step) => deserialize(step) as DoneStep),
    })
    this.#archive.grant(request, epoch)
    this.#taken.set(id, request)
    // A process that used the store alone has ended it.
    if (!request.isOpen) void this.#books.save(request).then(() => this.left(request))
    else if (asked === undefined || request.isStopping) this.#runs.goOn(request)
    else {
      if (asked === 'resume' && !request.isPaused) this.#runs.goOn(request)
      this.#do(request, asked)
    }
    if (this.#isClosed) this.#runs.leave(request)
  }

  #do(request: Request, command: RequestCommand): void {
    if (command === 'stop' || command === 'timeOut') {
      if (command === 'timeOut')
        request.fail('timedOut', new MillraceError('REQUEST_TIMED_OUT', { request: request.id }))
      // It stays asked until the request has ended: whoever takes it from here stops it too.
      return this.#runs.stop(request)
    }
    const isOver = request.isSettled || request.isStopping
    // Whoever takes it next does it.
    if (request.isLeaving && !isOver) return
    if (!isOver && command === 'pause' && !request.isPaused) this.#runs.pause(request)
    if (!isOver && command === 'resume' && request.isPaused) this.#runs.resume(request)
    void this.#books.save(request)
    void this.#archive.done(request, command)
    if (request.isPaused && request.place === undefined) this.left(request)
  }
}
