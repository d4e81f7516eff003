import { load } from '#atomics'
import type { Memory } from '../memory/memory.ts'
import { DRAINING, LEFT, NACKING, STATE, STOPPING } from '../memory/control.ts'
import type { Plan } from '../plan/types.ts'
import { TimeOut, within } from '../running-time.ts'
import { monotonicMs } from '../time.ts'
import type { WorkerHandle } from './handle.ts'
import { enterPhase } from './phase.ts'
import { recoverWorker } from './recovery.ts'

/** What a stop needs of the pipeline. */
interface StopOptions {
  readonly memory: Memory
  readonly plan: Plan
  readonly handles: readonly WorkerHandle[]
  /** The stages of the embedder's thread: `close` lets them take no more records, `left` resolves when they have left. */
  readonly host: { close(): void; left(): Promise<void> }
  /** Of all of it, where none is given. */
  readonly deadlineMs: number
}

/** The part of a deadline that is kept for the last step, and the most of it. */
const LAST_SHARE = 0.2
const LAST_MS = 1_000

/**
 * Ends a pipeline, one phase after the other: draining, stopping, nacking. One deadline holds for all of it; at its end the
 * threads that are still there are ended.
 */
export class Stop {
  /** Whether something was not over in time. */
  isLate = false
  readonly #options: StopOptions
  /** When all is to be over, as `drain` was told. */
  #drainEndsAtMs: number | undefined
  #drainShareMs = 0
  #drainDeadline: TimeOut | undefined

  constructor(options: StopOptions) {
    this.#options = options
  }

  /** Lets the sources make no more. @param onLate called if records are on their way when only the time to leave is left */
  drain(onLate: () => void, deadlineMs = this.#options.deadlineMs): void {
    const { memory, plan, host } = this.#options
    enterPhase(memory, plan, DRAINING)
    host.close()
    this.#drainEndsAtMs = monotonicMs() + deadlineMs
    this.#drainShareMs = lastMs(deadlineMs)
    this.#drainDeadline = new TimeOut(deadlineMs - this.#drainShareMs, () => {
      this.isLate = true
      onLate()
    })
  }

  /**
   * Tells all workers to leave, and ends those that do not. Sources with `ack` leave last: by then all is handed off that will
   * be. @param deadlineMs default: what `drain` has left of its own, or that of the run
   */
  async leave(deadlineMs = this.#leftMs()): Promise<void> {
    this.#drainDeadline?.cancel()
    const { memory, plan, handles, host } = this.#options
    const tellers = handles.filter(({ stage }) => stage.source?.ack !== undefined)
    const others = handles.filter((handle) => !tellers.includes(handle))
    const tellingMs = tellers.length === 0 ? 0 : lastMs(deadlineMs)
    const endsAtMs = monotonicMs() + deadlineMs
    enterPhase(memory, plan, STOPPING)
    await this.#untilGone(others, deadlineMs - tellingMs)
    await host.left()
    enterPhase(memory, plan, NACKING)
    await this.#untilGone(tellers, endsAtMs - monotonicMs())
    await destroy(handles)
  }

  /** Time without the process does not count, so leaving has its share in any case. */
  #leftMs(): number {
    if (this.#drainEndsAtMs === undefined) return this.#options.deadlineMs
    return Math.max(this.#drainShareMs, this.#drainEndsAtMs - monotonicMs())
  }

  /** Waits until these workers are gone; after so long their threads are ended. */
  async #untilGone(handles: readonly WorkerHandle[], withinMs: number): Promise<void> {
    const gone = Promise.all(handles.map((handle) => handle.gone)).then(() => true)
    if ((await within(withinMs, gone)) === undefined) {
      this.isLate = true
      await destroy(handles)
    }
    const { memory, plan } = this.#options
    // Those that did not leave by themselves may have been in the middle of a hand-off.
    for (const { worker } of handles)
      if (load(memory.words, worker.control.offset / 4 + STATE) !== LEFT) recoverWorker(memory, plan, worker)
  }
}

function lastMs(deadlineMs: number): number {
  return Math.min(LAST_MS, deadlineMs * LAST_SHARE)
}

async function destroy(handles: readonly WorkerHandle[]): Promise<void> {
  await Promise.all([...new Set(handles.map(({ threads }) => threads))].map((threads) => threads.destroy()))
}
