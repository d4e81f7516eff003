import { MillraceError } from '../errors.ts'
import { monotonicMs } from '../time.ts'

/** A bucket of acts: it holds twice what is let through in a second, and fills again as time passes. */
export class ActLimit {
  readonly #perSecond: number
  readonly #now: () => number
  #left: number
  #since: number

  /** @param now milliseconds */
  constructor(perSecond: number, now: () => number = () => monotonicMs()) {
    this.#perSecond = perSecond
    this.#now = now
    this.#left = Math.max(1, 2 * perSecond)
    this.#since = now()
  }

  /** Takes one. @throws ACTS_TOO_FAST with the seconds to wait */
  take(): void {
    const now = this.#now()
    const most = Math.max(1, 2 * this.#perSecond)
    this.#left = Math.min(most, this.#left + ((now - this.#since) / 1_000) * this.#perSecond)
    this.#since = now
    if (this.#left < 1) {
      throw new MillraceError('ACTS_TOO_FAST', { waitS: Math.ceil((1 - this.#left) / this.#perSecond) })
    }
    this.#left--
  }
}
