import type { Pipeline } from '../supervisor/pipeline.ts'
import type { Output } from './command.ts'

/** After a second Ctrl-C: how long workers may take to leave. */
const STOP_MS = 5_000
const HINTS = ['Ctrl-C drains; a second Ctrl-C stops.', 'Draining. Ctrl-C again stops.', 'Stopping.'] as const

/** Ctrl-C drains a pipeline, a second one stops it. */
export class Interrupts implements Disposable {
  /** The hint is on the screen: nothing is printed over it. */
  isShown = false
  readonly #pipeline: Pipeline
  readonly #output: Output
  #count = 0
  readonly #listener = (): void => this.#interrupt()

  constructor(pipeline: Pipeline, output: Output) {
    this.#pipeline = pipeline
    this.#output = output
    process.on('SIGINT', this.#listener).on('SIGTERM', this.#listener)
  }

  /** What the next Ctrl-C does, or what the last one began. */
  get hint(): string {
    return HINTS[Math.min(this.#count, HINTS.length - 1)]!
  }

  [Symbol.dispose](): void {
    process.off('SIGINT', this.#listener).off('SIGTERM', this.#listener)
  }

  #interrupt(): void {
    this.#count++
    if (!this.isShown) this.#output.warn(this.hint)
    const end = this.#count === 1 ? this.#pipeline.drain() : this.#pipeline.stop({ deadlineMs: STOP_MS })
    end.catch(() => undefined)
  }
}
