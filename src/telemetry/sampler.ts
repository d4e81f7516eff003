import type { Snapshot } from './snapshot.ts'
import { clearInterval, monotonicMs, setInterval } from '../time.ts'

/** Windows that rates are told over, in seconds. */
export const WINDOWS = [1, 10, 60] as const
export type Window = (typeof WINDOWS)[number]

const EVERY_MS = 1_000
const KEPT = 61
/** Snapshots this young answer the next question too: a flood of questions costs no more than one. */
const FRESH_MS = 20
/** Of a snapshot this young no second one is taken to be kept: each says its own time. */
const KEEPABLE_MS = 250
/** Without questions for so long, nothing is sampled any more. */
const IDLE_MS = 300_000
/** Timers are late rather than early: a sample counts as a second old a little before it is. */
const EARLY = 0.95

/**
 * The last minute of a pipeline, one snapshot a second, so that rates can be told over a window. It begins with the first
 * question, and rests when nobody asks. Cost: one snapshot a second.
 */
export class Sampler {
  readonly #read: () => Snapshot
  readonly #samples: Snapshot[] = []
  #askedAt = 0
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(read: () => Snapshot) {
    this.#read = read
  }

  /** The pipeline as it is: at most 20 ms old. */
  now(): Snapshot {
    const nowMs = monotonicMs()
    this.#askedAt = nowMs
    const { snapshot, atMs } = this.#fresh
    if (snapshot !== undefined && (this.#isClosed || nowMs - atMs < FRESH_MS)) return snapshot
    const read = this.#read()
    this.#fresh = { snapshot: read, atMs: nowMs }
    if (this.#timer === undefined && !this.#isClosed) this.#start(read)
    return read
  }

  /** The pipeline as it was so many seconds before `now`, or as near to that as is known; undefined at the first question. */
  before(now: Snapshot, seconds: number): Snapshot | undefined {
    const wanted = now.elapsedMs - seconds * 1_000 * EARLY
    return (
      this.#samples.findLast(({ elapsedMs }) => elapsedMs <= wanted) ??
      this.#samples.find(({ elapsedMs }) => elapsedMs < now.elapsedMs)
    )
  }

  /** Ends the sampling: what was last is what is. */
  close(): void {
    if (this.#isClosed) return
    this.#fresh = { snapshot: this.#read(), atMs: 0 }
    this.#isClosed = true
    clearInterval(this.#timer)
  }

  #fresh: { snapshot: Snapshot | undefined; atMs: number } = { snapshot: undefined, atMs: 0 }

  #start(first: Snapshot): void {
    this.#samples.splice(0, this.#samples.length, first)
    this.#timer = setInterval(() => this.#sample(), EVERY_MS).unref()
  }

  #sample(): void {
    const nowMs = monotonicMs()
    if (nowMs - this.#askedAt > IDLE_MS) {
      clearInterval(this.#timer)
      this.#timer = undefined
      return
    }
    const { snapshot, atMs } = this.#fresh
    const isKeepable = snapshot !== undefined && nowMs - atMs < KEEPABLE_MS && snapshot !== this.#samples.at(-1)
    this.#samples.push(isKeepable ? snapshot : this.#read())
    if (this.#samples.length > KEPT) this.#samples.shift()
  }
}
