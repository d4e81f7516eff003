import type { Pipeline } from '../supervisor/pipeline.ts'
import type { Receipt } from '../worker/source/push.ts'
import type { KnownRequests } from './known-requests.ts'
import { Places } from './places.ts'
import type { RequestBooks } from './request-books.ts'
import type { RequestHold } from './request-hold.ts'
import type { Request } from './request.ts'
import type { RequestTable } from './table.ts'
import { takeAnswers, takeNotes } from './told.ts'

/** What the runs of a flow's requests are made of. */
interface RequestRunsSettings {
  readonly table: RequestTable
  readonly maxRequests: number
  readonly keepsSteps: boolean
  readonly books: RequestBooks
  readonly known: KnownRequests
  readonly hold: RequestHold | undefined
}

/** Requests on their way through the pipeline of a flow, and those that wait for a place in it. */
export class RequestRuns {
  readonly #pipeline: Pipeline
  readonly #table: RequestTable
  readonly #books: RequestBooks
  readonly #known: KnownRequests
  readonly #hold: RequestHold | undefined
  readonly #places: Places
  readonly #queue = new Set<Request>()

  constructor(
    pipeline: Pipeline,
    { table, maxRequests, keepsSteps, books, known, hold }: RequestRunsSettings,
    onClosed: () => void,
  ) {
    this.#pipeline = pipeline
    this.#table = table
    this.#books = books
    this.#known = known
    this.#hold = hold
    this.#places = new Places(table, maxRequests)
    void takeAnswers(pipeline, this.#places)
    if (keepsSteps) void takeNotes(pipeline, this.#places, books)
    const close = (): void => {
      onClosed()
      this.#close()
    }
    pipeline.finished.then(close, close)
  }

  get queued(): number {
    return this.#queue.size
  }

  add(request: Request): void {
    this.#queue.add(request)
    this.#admit()
  }

  /** Goes on with a request that another process has left. */
  goOn(request: Request): void {
    if (request.isSettled) void this.#books.end(request)
    else if (request.isStopping) this.#books.finish(request, undefined)
    else if (!request.isPaused) this.add(request)
  }

  pause(request: Request): void {
    if (request.place === undefined) this.#queue.delete(request)
    else this.#table.pause(request.place)
    request.pause()
  }

  resume(request: Request): void {
    request.resume()
    if (request.place === undefined) this.#queue.add(request)
    else this.#table.resume(request.place)
    this.#admit()
  }

  stop(request: Request): void {
    if (!request.isOpen || request.isStopping) return
    request.isStopping = true
    if (request.place !== undefined) {
      this.#table.stop(request.place)
      // Whoever is killed before it has ended leaves a stopped request behind, not an open one.
      void this.#books.save(request)
      return
    }
    this.#queue.delete(request)
    this.#books.finish(request, undefined)
  }

  /** Another process is to go on with it: no step of it is called from now on, and those that run go on to their ends. */
  leave(request: Request): void {
    request.isLeaving = true
    if (request.place !== undefined) this.#table.pause(request.place)
    else if (this.#queue.delete(request)) this.#hold?.left(request)
  }

  #admit(): void {
    if (this.#pipeline.state !== 'running') return this.#close()
    if (this.#hold?.isHeld === false) return
    for (const request of this.#queue) {
      const place = this.#places.take(request)
      if (place === undefined) return
      this.#queue.delete(request)
      request.start(place)
      void this.#push(request)
    }
  }

  /** Resolves when nothing of the request is left in the pipeline. */
  async #push(request: Request): Promise<void> {
    const { id, input, steps } = request
    const { at, turn } = request.place!
    const memos = steps?.memos() ?? []
    let reason: unknown
    try {
      const parcel = { request: id, at, turn, path: '', from: 'request', value: input }
      const receipt: Receipt = await this.#pipeline.push('request', memos.length === 0 ? parcel : { ...parcel, memos })
      await receipt.done
    } catch (error) {
      reason = error
    }
    this.#places.leave({ at, turn })
    if (reason === undefined && request.isCut && !request.isStopping && !request.isSettled) this.#cut(request)
    else this.#books.finish(request, reason)
    this.#admit()
  }

  /** It was paused, and is to go on where it was: at once if it was resumed meanwhile. */
  #cut(request: Request): void {
    request.isCut = false
    request.place = undefined
    if (this.#hold !== undefined && (request.isPaused || request.isLeaving || !this.#hold.isHeld))
      return this.#hold.left(request)
    if (request.isPaused) return
    request.resume()
    this.#queue.add(request)
  }

  /** The pipeline has ended: what still waits is never run here. */
  #close(): void {
    for (const request of this.#known.all())
      if (this.#queue.has(request) || (request.isPaused && request.place === undefined)) this.#books.refuse(request)
    this.#queue.clear()
  }
}
