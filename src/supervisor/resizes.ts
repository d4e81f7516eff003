import { load } from '#atomics'
import { MillraceError } from '../errors.ts'
import { ring } from '../lane/doorbell.ts'
import { movedPartitions } from '../lane/partitions.ts'
import { isVacant, setVacant } from '../lane/seats.ts'
import { SizingWords } from '../lane/sizing.ts'
import { LEFT, LIVE, RELEASED, STATE } from '../memory/control.ts'
import { ROUTED } from '../memory/lane.ts'
import type { Memory } from '../memory/memory.ts'
import type { Plan, StagePlan, WorkerPlan } from '../plan/types.ts'
import { TimeOut } from '../running-time.ts'
import { monotonicMs, setTimeout } from '../time.ts'
import type { Events } from './events.ts'
import type { WorkerHandle } from './handle.ts'
import { recoverWorker } from './recovery.ts'
import { startError } from './start.ts'
import { errorMessage } from '../worker/thread/protocol.ts'

/** What resizes need of the pipeline. */
interface ResizesOptions {
  readonly memory: Memory
  readonly plan: Plan
  readonly events: Events
  readonly handles: readonly WorkerHandle[]
  readonly startDeadlineMs: number
  readonly isRunning: () => boolean
}

/** Between two looks at how far a resize is. */
const LOOK_MS = 1
const NOBODY = { version: 0, handles: [] }
const MOST_LOOK_MS = 20

/** A worker that is to be ready before records are sent to it. */
interface Awaited {
  readonly ready: () => void
  readonly fail: (error: MillraceError) => void
}

/** Gives stages another number of workers while they run, one after the other (docs/protocol.md, Z1 to Z3). */
export class Resizes {
  readonly #options: ResizesOptions
  readonly #awaited = new Map<WorkerHandle, Awaited>()
  /** Workers that have started in vain: their end is nobody's death. */
  readonly #unseated = new Set<WorkerHandle>()
  /** Workers that lose their seats by the version that is under way, and that version. */
  #leaving: { readonly version: number; readonly handles: readonly WorkerHandle[] } = NOBODY
  #last: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(options: ResizesOptions) {
    this.#options = options
  }

  /** See `Pipeline.resize`. */
  resize(node: string, workers: number): Promise<void> {
    const resized = this.#last.then(() => this.#resize(this.#stage(node, workers), workers))
    this.#last = resized.catch(() => undefined)
    return resized
  }

  /** @returns whether a resize has waited for it */
  ready(handle: WorkerHandle): boolean {
    const awaited = this.#awaited.get(handle)
    awaited?.ready()
    return awaited !== undefined
  }

  /** @returns whether it is a resize that deals with its end */
  over(handle: WorkerHandle, error: unknown): boolean {
    const died = handle.lastError ?? errorMessage(error ?? new Error('its thread ended'))
    const awaited = this.#awaited.get(handle)
    awaited?.fail(startError(handle, handle.refusal ?? { step: 'setup', error: died }))
    return this.#unseated.delete(handle) || awaited !== undefined || this.#hasReleased(handle)
  }

  /** The pipeline ends: what is under way is given up. */
  close(): void {
    this.#isClosed = true
    for (const { fail } of this.#awaited.values()) fail(refused('', 'the pipeline ended'))
  }

  #stage(node: string, workers: number): StagePlan {
    const { plan, isRunning } = this.#options
    const stage = plan.nodeStages.find((each) => each.node === node)
    if (stage === undefined) throw new MillraceError('NODE_UNKNOWN', { node })
    if (!isRunning()) throw refused(node, 'the pipeline is not running')
    if (stage.sizing === undefined) throw refused(node, 'the node has no `maxConcurrency` above its `concurrency`')
    if (!Number.isInteger(workers) || workers < 1 || workers > stage.seats)
      throw refused(node, `${workers} is not a number of workers from 1 to ${stage.seats}`)
    return stage
  }

  async #resize(stage: StagePlan, to: number): Promise<void> {
    const { memory, plan, events } = this.#options
    const sizing = new SizingWords(memory, stage.sizing!)
    const from = sizing.workers(sizing.version)
    if (from === to) return
    const startedAtMs = monotonicMs()
    const seated = this.#handles(stage, from, to)
    const leaving = this.#handles(stage, to, from)
    await this.#seat(seated)
    this.#leaving = { version: sizing.version + 1, handles: leaving }
    const version = sizing.resize(to)
    ringAll(memory, plan)
    // A new worker that does not run yet would not know of the next version what it loses by it.
    await this.#until(
      stage,
      () => isResized(memory, plan, stage, version) && seated.every(({ worker }) => this.#isIn(worker, LIVE)),
    )
    await this.#until(stage, () => leaving.every((handle) => !handle.isAlive && this.#hasReleased(handle)))
    // Until all is heard of their lives, no other life may begin there.
    await Promise.all(leaving.map(({ gone }) => gone))
    for (const { worker } of leaving) {
      // Its teardown may have ended the thread.
      if (!this.#isIn(worker, LEFT)) recoverWorker(memory, plan, worker)
      setVacant(memory, worker.control.offset, true)
    }
    this.#leaving = NOBODY
    // Those below may have waited for the end of these workers.
    ringAll(memory, plan)
    events.emit('stage.resized', { node: stage.node, from, to, tookMs: monotonicMs() - startedAtMs })
  }

  /** The workers from one ordinal up to another one. */
  #handles(stage: StagePlan, from: number, to: number): WorkerHandle[] {
    const workers = new Set(stage.workers.slice(from, to))
    return this.#options.handles.filter(({ worker }) => workers.has(worker.index))
  }

  /** It has lost its seat, and keeps nothing: no successor is needed, however it ends. */
  #hasReleased(handle: WorkerHandle): boolean {
    const { version, handles } = this.#leaving
    const released = handle.worker.control.offset / 4 + RELEASED
    return handles.includes(handle) && load(this.#options.memory.words, released) === version
  }

  #isIn({ control }: WorkerPlan, state: number): boolean {
    return load(this.#options.memory.words, control.offset / 4 + STATE) === state
  }

  /** Makes workers ready; they run once the stage has so many. */
  async #seat(handles: readonly WorkerHandle[]): Promise<void> {
    const { memory, startDeadlineMs } = this.#options
    for (const { worker } of handles) setVacant(memory, worker.control.offset, false)
    const started = await Promise.allSettled(handles.map((handle) => this.#start(handle, startDeadlineMs)))
    this.#awaited.clear()
    const failed = started.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined
    if (failed === undefined) return
    for (const handle of handles) {
      if (handle.isAlive) {
        this.#unseated.add(handle)
        await handle.kill()
        await handle.gone
      }
      setVacant(memory, handle.worker.control.offset, true)
    }
    throw failed.reason
  }

  #start(handle: WorkerHandle, deadlineMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const detail = { nodes: [handle.stage.node], startDeadlineMs: deadlineMs }
      const deadline = new TimeOut(deadlineMs, () => reject(new MillraceError('START_TIMEOUT', detail)))
      const settle = (act: () => void): void => {
        deadline.cancel()
        act()
      }
      this.#awaited.set(handle, { ready: () => settle(resolve), fail: (error) => settle(() => reject(error)) })
      handle.start()
    })
  }

  /** @throws RESIZE_REFUSED if the pipeline ends before */
  async #until({ node }: StagePlan, holds: () => boolean): Promise<void> {
    for (let lookMs = LOOK_MS; !holds(); lookMs = Math.min(MOST_LOOK_MS, 2 * lookMs)) {
      if (this.#isClosed) throw refused(node, 'the pipeline ended')
      await new Promise((resolve) => setTimeout(resolve, lookMs))
    }
  }
}

/**
 * Whether a version of a stage's sizing is over, so that another one may begin: all that send to the stage go by it, and all that lose
 * something by it have released that.
 */
export function isResized(memory: Memory, plan: Plan, stage: StagePlan, version: number): boolean {
  const { words } = memory
  const isFollowed = plan.links
    .filter(({ to }) => to === stage.index)
    .every(({ from, lanes }) =>
      lanes.every((row, writer) => {
        const { control } = plan.workers[plan.stages[from]!.workers[writer]!]!
        if (isVacant(memory, control.offset)) return true
        return row.every(({ offset }) => load(words, offset / 4 + ROUTED) === version)
      }),
    )
  if (!isFollowed) return false
  const sizing = new SizingWords(memory, stage.sizing!)
  const [before, after] = [sizing.workers(version - 1), sizing.workers(version)]
  const isPartitioned = plan.links.some(({ to, dispatch }) => to === stage.index && dispatch === 'partition')
  const moved = isPartitioned ? movedPartitions(before, after).map(({ from }) => from) : []
  const leaving = Array.from({ length: Math.max(0, before - after) }, (_, i) => after + i)
  return [...new Set([...moved, ...leaving])].every((ordinal) => {
    const { control } = plan.workers[stage.workers[ordinal]!]!
    return load(words, control.offset / 4 + RELEASED) === version
  })
}

function ringAll({ words }: Memory, plan: Plan): void {
  for (const { control } of plan.workers) ring(words, control.doorbell)
}

function refused(node: string, reason: string): MillraceError {
  return new MillraceError('RESIZE_REFUSED', { node, reason })
}
