import type { HistogramCopy } from './histogram-read.ts'
import { upperEnd } from '../memory/histogram.ts'
import { clearInterval, monotonicMs, setInterval } from '../time.ts'

const EVERY_MS = 1_000
const KEPT = 61
/** A histogram that nobody asks for is not followed any more after so long. */
const IDLE_MS = 120_000
/** Copies of 36 KiB are kept for so many histograms at most: the one asked for longest ago makes room. */
const MOST_FOLLOWED = 16

interface Followed {
  readonly read: () => HistogramCopy
  readonly copies: { readonly atMs: number; readonly copy: HistogramCopy }[]
  askedAtMs: number
}

/** What histograms held in the last minute: those that are asked for are copied once a second. */
export class HistogramHistory {
  readonly #followed = new Map<string, Followed>()
  #timer: NodeJS.Timeout | undefined

  /**
   * What was recorded in the last so many seconds, and how many seconds that really were: the first question begins to
   * look. @param key names the histogram
   */
  window(key: string, read: () => HistogramCopy, seconds: number): { copy: HistogramCopy; seconds: number } {
    const nowMs = monotonicMs()
    const copy = read()
    const followed = this.#follow(key, read, copy, nowMs)
    const before = followed.copies.findLast(({ atMs }) => atMs <= nowMs - seconds * 950) ?? followed.copies[0]!
    return { copy: since(before.copy, copy), seconds: (nowMs - before.atMs) / 1_000 }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#followed.clear()
  }

  #follow(key: string, read: () => HistogramCopy, copy: HistogramCopy, nowMs: number): Followed {
    const known = this.#followed.get(key)
    // The map's order is that of the last questions.
    this.#followed.delete(key)
    const followed = known ?? { read, copies: [{ atMs: nowMs, copy }], askedAtMs: nowMs }
    followed.askedAtMs = nowMs
    this.#followed.set(key, followed)
    if (this.#followed.size > MOST_FOLLOWED) this.#followed.delete(this.#followed.keys().next().value!)
    this.#timer ??= setInterval(() => this.#copyAll(), EVERY_MS).unref()
    return followed
  }

  #copyAll(): void {
    const nowMs = monotonicMs()
    for (const [key, { read, copies, askedAtMs }] of this.#followed) {
      if (nowMs - askedAtMs > IDLE_MS) {
        this.#followed.delete(key)
        continue
      }
      copies.push({ atMs: nowMs, copy: read() })
      if (copies.length > KEPT) copies.shift()
    }
    if (this.#followed.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

/** What was recorded between two copies. The extremes are as exact as the buckets are. */
function since(before: HistogramCopy, after: HistogramCopy): HistogramCopy {
  const counts = after.counts.map((count, i) => Math.max(0, count - before.counts[i]!))
  const total = counts.reduce((sum, count) => sum + count, 0)
  const first = counts.findIndex((count) => count > 0)
  const last = counts.findLastIndex((count) => count > 0)
  return {
    counts,
    total,
    sum: Math.max(0, after.sum - before.sum),
    squares: Math.max(0, after.squares - before.squares),
    min: first <= 0 ? 0 : upperEnd(first - 1) + 1,
    max: last === -1 ? 0 : Math.min(after.max, upperEnd(last)),
  }
}
