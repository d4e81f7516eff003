import { MillraceError, isMillraceError } from '../errors.ts'
import type { Pipeline } from '../supervisor/pipeline.ts'
import type { FoundRequest, RequestArchive } from './archive.ts'
import { isPause } from './calling.ts'
import { collectItem } from './collected-items.ts'
import { UNDO_NODE } from './compile.ts'
import type { FlowHooks } from './data.ts'
import { type DoneStep, shortOf } from './done-steps.ts'
import type { KnownRequests } from './known-requests.ts'
import type { Parcel } from './parcel.ts'
import type { RequestHold } from './request-hold.ts'
import { Request } from './request.ts'

/** What the books of a flow are made of. */
interface RequestBooksSettings {
  readonly known: KnownRequests
  readonly archive: RequestArchive | undefined
  /** Only where other processes share the store. */
  readonly hold: RequestHold | undefined
  readonly undoable: ReadonlySet<string>
  readonly itemEnds: ReadonlyMap<string, string>
  readonly hooks: FlowHooks
  readonly keepsSteps: boolean
}

/** How requests begin and end, and what of them is kept: here, and in the store. */
export class RequestBooks {
  readonly #pipeline: Pipeline
  readonly #known: KnownRequests
  readonly #archive: RequestArchive | undefined
  readonly #hold: RequestHold | undefined
  readonly #undoable: ReadonlySet<string>
  readonly #itemEnds: ReadonlyMap<string, string>
  readonly #common: { readonly flow: string; readonly hooks: FlowHooks; readonly keepsSteps: boolean }

  constructor(
    pipeline: Pipeline,
    { known, archive, hold, undoable, itemEnds, hooks, keepsSteps }: RequestBooksSettings,
  ) {
    this.#pipeline = pipeline
    this.#known = known
    this.#archive = archive
    this.#hold = hold
    this.#undoable = undoable
    this.#itemEnds = itemEnds
    this.#common = { flow: pipeline.name, hooks, keepsSteps }
  }

  /** Takes up a request as a store has kept it. */
  restore({ id, record, steps }: FoundRequest): Request {
    const request = this.make({ id, ...record })
    request.restore(record)
    for (const step of steps.toSorted((a, b) => a.endedAt - b.endedAt)) {
      request.steps?.add(step)
      collectItem(request.itemAnswers, this.#itemEnds, step)
    }
    if (!request.isOpen) this.#known.ended(request)
    return request
  }

  /** Resolves when every request has ended, or is paused; or the pipeline has. */
  async rest(): Promise<void> {
    const open = this.#known.all().filter(({ isOpen }) => isOpen)
    const over = this.#pipeline.finished.catch(() => undefined)
    await Promise.race([over, Promise.all(open.map((request) => request.rests()))])
  }

  /** A request that is known from here on. */
  make(given: ConstructorParameters<typeof Request>[0]): Request {
    const request = new Request(given, this.#common)
    this.#known.add(request)
    return request
  }

  /** What is asked outlives the process from here on. False where it cannot be kept: it has failed. */
  isSaved(request: Request): boolean {
    try {
      void this.save(request)
      return true
    } catch (cause) {
      this.refuse(request, new MillraceError('REQUEST_FAILED', { request: request.id }, { cause }))
      return false
    }
  }

  /** @returns a promise that resolves once the request is kept as it is now */
  save(request: Request): Promise<void> {
    if (this.#archive === undefined) return Promise.resolve()
    return (request.saved = this.#archive.save(request))
  }

  /** Nothing of it is left in the pipeline. @param reason why that has lost it, if it has */
  finish(request: Request, reason: unknown): void {
    const { id } = request
    const isOver = this.#pipeline.state !== 'running' && this.#pipeline.state !== 'draining'
    // Another process goes on with it.
    const isLeft = isOver && this.#archive !== undefined && !request.isStopping && !request.isSettled
    if (this.#hold !== undefined && (isLeft || !this.#hold.isHeld)) return this.#hold.left(request)
    // Most have their answer: an error is not made for nothing.
    if (request.isSettled) return void this.end(request)
    if (request.isStopping) request.fail('stopped', new MillraceError('REQUEST_STOPPED', { request: id }))
    else if (isMillraceError(reason) && reason.code === 'PIPELINE_NOT_RUNNING') request.fail('failed', reason)
    else request.fail('failed', new MillraceError('REQUEST_FAILED', { request: id }, { cause: reason }))
    if (isLeft) return this.#keep(request)
    void this.end(request)
  }

  /** Undoes what is to be undone, and then it has ended. */
  async end(request: Request): Promise<void> {
    request.place = undefined
    if (this.#undoable.size > 0 && request.state !== 'succeeded') {
      await this.save(request)
      for (const step of request.steps!.toUndo(this.#undoable)) {
        // What is left is undone by the next process, if there is a store.
        if (!(await this.#undo(request, step))) return this.#leave(request)
      }
    }
    this.#keep(request)
    if (this.#archive === undefined) return
    await request.ended
    await this.save(request)
    this.#hold?.left(request)
  }

  /** Another process undoes the rest. */
  #leave(request: Request): void {
    if (this.#hold === undefined) this.#keep(request)
    else this.#hold.left(request)
  }

  /** @returns whether it was tried to its end */
  async #undo(request: Request, done: DoneStep): Promise<boolean> {
    const { at, turn, path, step, answer } = done
    if (this.#hold?.isHeld === false) return false
    try {
      const receipt = await this.#pipeline.push(UNDO_NODE, { request: request.id, at, turn, path, step, answer })
      await receipt.done
      this.did(request, { ...done, undone: true })
      return true
    } catch (error) {
      if (this.#pipeline.state !== 'running' && this.#pipeline.state !== 'draining') return false
      const { cause } = error as Error
      if (this.#hold !== undefined && isPause({ ...(cause as { code?: string }) })) return false
      this.did(request, { ...done, undone: shortOf((cause instanceof Error ? cause : error) as Error) })
      return true
    }
  }

  /** A step has answered, has failed, or was undone. */
  did(request: Request, step: DoneStep): void {
    collectItem(request.itemAnswers, this.#itemEnds, step)
    const key = request.did(step)
    if (this.#archive !== undefined) void this.#archive.saveStep(request, key, step)
  }

  /** An item came past the last part of its flow: that has made nothing else of it. */
  passed(request: Request, { from, path, value, fault }: Parcel): void {
    const forEach = this.#itemEnds.get(`${from}.branches`) ?? this.#itemEnds.get(`${from}.items`)
    if (forEach !== undefined && fault === undefined) request.answeredItem(forEach, path, value)
  }

  /** Nothing of it is left. */
  #keep(request: Request): void {
    request.end()
    this.#known.ended(request)
  }

  /** It is not run: not here, where others share the store. */
  refuse(request: Request, error = new MillraceError('PIPELINE_NOT_RUNNING', { node: 'request' })): void {
    if (this.#hold !== undefined) return this.#hold.left(request)
    request.fail('failed', error)
    this.#keep(request)
  }
}
