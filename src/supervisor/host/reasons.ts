import { type ErrorData, errorOf } from '../../errors.ts'
import { within } from '../../running-time.ts'

/** How long the reason of a failure may come after the failure: acks go by shared memory, reasons by message. */
const REASON_MS = 100
/** Failures that are remembered: who pushed a record may ask for its end later. */
const MOST_KEPT = 1_000

/** Why records were given up, by their id: the last ones, and those that are waited for. */
export class Reasons {
  readonly #kept = new Map<string, Error>()
  readonly #waiting = new Map<string, (reason: Error) => void>()

  /** A record was given up. */
  tell(recordId: string, error: ErrorData): void {
    const reason = errorOf(error)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size >= MOST_KEPT) this.#kept.delete(oldest!)
    this.#kept.set(recordId, reason)
    this.#waiting.get(recordId)?.(reason)
  }

  /** The reason of a record that has failed; undefined where it is not told in time: of what came of several, say. */
  async of(recordId: string): Promise<Error | undefined> {
    const known = this.#kept.get(recordId)
    if (known !== undefined) return known
    const told = new Promise<Error>((resolve) => this.#waiting.set(recordId, resolve))
    const reason = await within(REASON_MS, told)
    this.#waiting.delete(recordId)
    return reason
  }
}
