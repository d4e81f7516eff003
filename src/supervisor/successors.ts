import { type ErrorData, MillraceError, errorOf, inWords } from '../errors.ts'
import type { Memory } from '../memory/memory.ts'
import type { Plan } from '../plan/types.ts'
import { TimeOut } from '../running-time.ts'
import { clearTimeout, monotonicMs, setTimeout } from '../time.ts'
import { Detachments } from './detachments.ts'
import type { Events } from './events.ts'
import type { WorkerHandle } from './handle.ts'
import type { Death, History } from './history.ts'
import { Poison } from './poison.ts'
import { recoverWorker } from './recovery.ts'
import { restartVerdict } from './restart.ts'
import { startError } from './start.ts'

/** What successors need of the pipeline. */
interface SuccessorsOptions {
  readonly memory: Memory
  readonly plan: Plan
  readonly events: Events
  readonly history: History
  readonly handles: readonly WorkerHandle[]
  /** How long a successor may take to get ready. */
  readonly startDeadlineMs: number
  /** A worker has died, and its memory is not in order yet. */
  readonly onDeath: (handle: WorkerHandle) => void
  /** A stage gave up and is detached, and the pipeline is to drain. */
  readonly onDrain: (error: MillraceError) => void
  /** A stage cannot go on. */
  readonly onGiveUp: (error: MillraceError) => void
}

/** A successor that is not ready yet. */
interface Awaited {
  /** When its predecessor's death was known. */
  readonly diedAtMs: number
  /** Ends its delay, or then its start's deadline. */
  readonly cancel: () => void
}

/** From the death of a worker over recovery and verdict to its successor, or to the end of the pipeline. */
export class Successors {
  readonly detachments: Detachments
  readonly #options: SuccessorsOptions
  readonly #poison: Poison
  /** Workers whose present life runs without its handler. */
  readonly #detached = new Set<WorkerHandle>()
  readonly #awaited = new Map<WorkerHandle, Awaited>()

  constructor(options: SuccessorsOptions) {
    this.#options = options
    this.detachments = new Detachments(options)
    this.#poison = new Poison(options.memory, options.plan)
  }

  /** A worker's task is over, in the middle of the pipeline's life. */
  over(handle: WorkerHandle, error: unknown): void {
    this.forget(handle)
    const { refusal } = handle
    // A successor's module that does not load never will; its `setup` may succeed the next time.
    if (refusal?.step === 'load') this.#options.onGiveUp(startError(handle, refusal))
    else if (refusal !== undefined) this.#replace(handle, startError(handle, refusal))
    else if (error !== undefined) this.#replace(handle, error)
  }

  ready(handle: WorkerHandle): void {
    const awaited = this.forget(handle)
    if (awaited === undefined) return
    this.#options.events.emit('worker.restarted', { ...handle.place, tookMs: monotonicMs() - awaited.diedAtMs })
  }

  /** The successor is ready, or over: nothing ends it any more. */
  forget(handle: WorkerHandle): Awaited | undefined {
    const awaited = this.#awaited.get(handle)
    awaited?.cancel()
    this.#awaited.delete(handle)
    return awaited
  }

  /** The pipeline stops: no successor starts any more. Those that are starting keep their deadline. */
  close(): void {
    for (const handle of this.#awaited.keys()) if (!handle.isAlive) this.forget(handle)
  }

  /** A thread ended in the middle of its work: its memory is put in order, and a successor goes on there. */
  #replace(handle: WorkerHandle, error: unknown): void {
    const { memory, plan, events, history } = this.#options
    const { worker, stage, lastError, isRestartAsked: wasAsked } = handle
    const diedAtMs = monotonicMs()
    this.#options.onDeath(handle)
    const { finishedHandoff, suspects } = recoverWorker(memory, plan, worker)
    const cause = deathOf(handle, error)
    const { counts } = history.add(
      { ...handle.place, atMs: diedAtMs, cause: cause.message, error: kept(lastError ?? error), wasAsked },
      suspects,
      (stage.input ?? stage.source)!.maxCrashes,
    )
    events.emit('worker.died', { ...handle.place, cause, finishedHandoff, inHand: suspects.length, counts })
    // One that is ended on purpose has shown nothing of what it had in hand.
    if (!wasAsked && this.#poison.isTooMuch(stage, suspects)) return this.#giveUp(handle, cause, 'STAGE_POISONED')
    const verdict = restartVerdict(stage.restart, history.charged(stage.node), diedAtMs)
    if (!verdict.restart) return this.#giveUp(handle, cause, 'RESTARTS_EXHAUSTED')
    const delay = setTimeout(() => this.#start(handle, diedAtMs), verdict.delayMs)
    this.#awaited.set(handle, { diedAtMs, cancel: () => clearTimeout(delay) })
  }

  #start(handle: WorkerHandle, diedAtMs: number): void {
    if (this.detachments.isDetached(handle.stage)) this.#detached.add(handle)
    else this.#detached.delete(handle)
    handle.start()
    // One that hangs in its module or its `setup` has no heartbeat yet.
    const deadline = new TimeOut(this.#options.startDeadlineMs, () => {
      endHung(handle, monotonicMs() - handle.startedAtMs, this.#options.events)
    })
    this.#awaited.set(handle, { diedAtMs, cancel: () => deadline.cancel() })
  }

  #giveUp(handle: WorkerHandle, cause: MillraceError, code: 'RESTARTS_EXHAUSTED' | 'STAGE_POISONED'): void {
    const { detachments } = this
    const { events, onDrain, onGiveUp } = this.#options
    const { stage } = handle
    const { node, restart } = stage
    // It crashed before it knew that another one has given up.
    if (detachments.isDetached(stage) && !this.#detached.has(handle)) return this.#start(handle, monotonicMs())
    const history = this.#options.history.of(node)
    events.emit('stage.gaveUp', { node, deaths: history.length, cause })
    const error = new MillraceError(
      code,
      { node, deaths: history.length, reason: cause.detail['reason'], history },
      { cause },
    )
    // One that crashes without its handler too cannot go on at all.
    if (restart.exhausted === 'stop' || detachments.isDetached(stage)) return onGiveUp(error)
    detachments.detach(stage, error, handle)
    this.#start(handle, monotonicMs())
    if (restart.exhausted === 'drain') onDrain(error)
  }
}

/** Ends a worker that has hung for so long: its death goes the way of all others. */
export function endHung(handle: WorkerHandle, forMs: number, events: Events): void {
  events.emit('worker.hung', { ...handle.place, forMs })
  void handle.kill()
}

/** A death, with what the worker said of it; if it said nothing, with how its thread ended. */
function deathOf({ place, lastError }: WorkerHandle, error: unknown): MillraceError {
  const reason = lastError?.message ?? (error instanceof Error ? error.message : String(error))
  return new MillraceError(
    'WORKER_DIED',
    { ...place, reason },
    {
      cause: lastError === undefined ? error : errorOf(lastError),
    },
  )
}

/** What of an error a history keeps. */
function kept(error: unknown): Death['error'] {
  const { name = 'Error', message = inWords(error), code } = (error ?? {}) as Partial<ErrorData>
  return { name, message, ...(typeof code === 'string' ? { code } : {}) }
}
