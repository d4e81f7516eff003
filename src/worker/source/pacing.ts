/** A rate limit that lets records through evenly: a bucket that fills at the rate and holds a few milliseconds of it. */
export class Pacing {
  /** Infinity: no limit. A rate may be so small that this is 0: then nothing more may go. */
  #perMs: number
  #allowed = 0
  #at: number

  readonly #atOnce: number | undefined

  /**
   * @param perSecond 0 for no limit
   * @param atOnce what the bucket holds, and holds at the start; default: ten milliseconds of the rate, and one record
   */
  constructor(perSecond: number, nowMs: number, atOnce?: number) {
    this.#perMs = perMsOf(perSecond)
    this.#at = nowMs
    this.#atOnce = atOnce
    this.#allowed = atOnce ?? 1
  }

  set perSecond(perSecond: number) {
    this.#perMs = perMsOf(perSecond)
  }

  /** Records that may go now. */
  allowed(nowMs: number): number {
    if (this.#perMs === Infinity) return Infinity
    const most = this.#atOnce ?? Math.max(1, this.#perMs * BURST_MS)
    this.#allowed = Math.min(most, this.#allowed + (nowMs - this.#at) * this.#perMs)
    this.#at = nowMs
    return Math.floor(this.#allowed)
  }

  take(records: number): void {
    if (this.#perMs < Infinity) this.#allowed -= records
  }

  /** When the next record may go, in ms of the same clock. */
  get nextAt(): number {
    const missing = 1 - this.#allowed
    return missing <= 0 || this.#perMs === Infinity ? this.#at : this.#at + missing / this.#perMs
  }
}

const BURST_MS = 10

function perMsOf(perSecond: number): number {
  return perSecond === 0 ? Infinity : perSecond / 1000
}

/**
 * How many records a source puts into one chunk: what the pipeline ends in about a millisecond. Fast streams get large
 * chunks, which cost less; slow ones small ones, which spread better over workers and arrive sooner.
 */
export class ChunkSize {
  readonly #most: number
  #size: number
  #ended = 0
  #since: number

  constructor(most: number, nowMs: number) {
    this.#most = most
    this.#size = Math.min(most, FIRST_SIZE)
    this.#since = nowMs
  }

  get records(): number {
    return this.#size
  }

  /** So many records have ended. */
  ended(records: number, nowMs: number): void {
    this.#ended += records
    const ms = nowMs - this.#since
    if (ms < LOOK_MS) return
    const target = Math.max(1, Math.min(this.#most, Math.round(this.#ended / ms)))
    // Up at once, down by half: a pause is not yet a slow pipeline.
    this.#size = Math.max(target, this.#size >> 1, 1)
    this.#ended = 0
    this.#since = nowMs
  }
}

/** A handler may take its time, and there may be few records: until the first ones have ended, each worker gets its share. */
const FIRST_SIZE = 1
const LOOK_MS = 2
