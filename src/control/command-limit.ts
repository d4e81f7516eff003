import { MillraceError } from '../errors.ts'
import { monotonicMs } from '../time.ts'

/** A bucket of commands: it holds twice what is let through in a second, and fills again as time passes. */
export class CommandLimit {
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

  /** Takes one. @throws COMMANDS_TOO_FAST with the seconds to wait */
  take(): void {
    const now = this.#now()
    const most = Math.max(1, 2 * this.#perSecond)
    this.#left = Math.min(most, this.#left + ((now - this.#since) / 1_000) * this.#perSecond)
    this.#since = now
    if (this.#left < 1) {
      throw new MillraceError('COMMANDS_TOO_FAST', { waitS: Math.ceil((1 - this.#left) / this.#perSecond) })
    }
    this.#left--
  }
}

/** A bucket for each kind of command on each pipeline: what saves a pipeline never waits for test records, or for another pipeline. */
export class CommandLimits {
  readonly #perSecond: number
  readonly #buckets = new Map<string, Map<string, CommandLimit>>()

  constructor(perSecond: number) {
    this.#perSecond = perSecond
  }

  /**
   * @param kind the command, one of a few
   * @param pipeline that is there; empty where the command is on none
   * @throws COMMANDS_TOO_FAST
   */
  take(kind: string, pipeline: string): void {
    const ofKind = this.#buckets.get(kind) ?? new Map<string, CommandLimit>()
    this.#buckets.set(kind, ofKind)
    const bucket = ofKind.get(pipeline) ?? new CommandLimit(this.#perSecond)
    ofKind.set(pipeline, bucket)
    bucket.take()
  }
}
