import type { MillraceError } from '../errors.ts'
import type { Events } from './events.ts'
import type { Report } from './report.ts'

/** How a pipeline ends, as far as it is known, and who waits for it. */
export class Ending {
  /** Resolves with the report; rejects with the error that stopped the pipeline, which has the report too. */
  readonly finished: Promise<Report>
  #outcome: Report['outcome'] = 'finished'
  #error: MillraceError | undefined
  #settle!: { resolve: (report: Report) => void; reject: (error: unknown) => void }

  constructor() {
    this.finished = new Promise((resolve, reject) => (this.#settle = { resolve, reject }))
    // Whoever does not look at the end of a pipeline is told by its events; an unhandled rejection would end the process.
    this.finished.catch(() => undefined)
  }

  get outcome(): Report['outcome'] {
    return this.#outcome
  }

  /** Somebody ends it; an error counts more. */
  by(outcome: 'drained' | 'stopped'): void {
    if (this.#error === undefined) this.#outcome = outcome
  }

  /** The first error counts. */
  fail(error: MillraceError): void {
    this.#error ??= error
    this.#outcome = 'failed'
  }

  /** All is over. */
  settle(report: Report, events: Events): void {
    const error = this.#error
    if (error === undefined) {
      events.emit('pipeline.finished', { report })
      this.#settle.resolve(report)
    } else {
      events.emit('pipeline.failed', { error, report })
      this.#settle.reject(Object.assign(error, { report }))
    }
  }
}
