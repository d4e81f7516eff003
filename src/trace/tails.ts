import type { TraceEvent } from './event.ts'

/** Events that are held for traces that have not ended. */
const MOST_HELD = 262_144
/** Share of traces that counts as the slowest, and how many lengths the estimate of it looks back on. */
const SLOWEST = 0.01
const LENGTHS = 1_024
/** Slow traces that are kept in a row. While a queue fills, each trace is slower than those before it. */
const SLOW_BURST = 10

/**
 * Holds the events of each trace until it has ended, then keeps or forgets them: kept is what failed, was retried, dropped or has
 * gaps, what was among the slowest, and what was chosen at its start. The end is known (X2), so there is no waiting time.
 */
export class Tails {
  /** Events that were forgotten because their traces were not worth keeping; and because too many were held. */
  forgotten = 0
  dropped = 0
  readonly #keep: (events: readonly TraceEvent[]) => void
  readonly #held = new Map<string, TraceEvent[]>()
  /** Chosen at their start. */
  readonly #chosen = new Set<string>()
  /** A batch belongs to several traces and is kept once. */
  readonly #kept = new WeakSet<TraceEvent>()
  readonly #lengths: number[] = []
  #ended = 0
  #slowMs = Infinity
  /** Slow traces that may be kept: each end adds its share. */
  #slowCredit = SLOW_BURST
  #count = 0

  constructor(keep: (events: readonly TraceEvent[]) => void) {
    this.#keep = keep
  }

  get held(): number {
    return this.#count
  }

  add(event: TraceEvent, isChosen: boolean): void {
    if (event.traces.length === 0) return this.#keep([event])
    for (const trace of event.traces) {
      const events = this.#held.get(trace)
      if (events === undefined) this.#held.set(trace, [event])
      else events.push(event)
      this.#count++
      if (isChosen) this.#chosen.add(trace)
    }
    // The oldest ones: their ends were dropped, or are far away.
    while (this.#count > MOST_HELD) this.dropped += this.#take(this.#held.keys().next().value!).length
  }

  /** All events of the trace of this end are here. */
  judge(end: TraceEvent): void {
    const [trace] = end.traces
    if (trace === undefined) return
    const isChosen = this.#chosen.has(trace)
    const events = this.#take(trace)
    const isSlow = this.#isSlow(end.handedOffAt - end.takenAt)
    if (!isChosen && !isSlow && events.every(isPlain)) {
      this.forgotten += events.length
      return
    }
    const fresh = events.filter((event) => !this.#kept.has(event))
    for (const event of fresh) if (event.traces.length > 1) this.#kept.add(event)
    this.#keep(fresh)
  }

  #take(trace: string): TraceEvent[] {
    const events = this.#held.get(trace) ?? []
    this.#held.delete(trace)
    this.#chosen.delete(trace)
    this.#count -= events.length
    return events
  }

  #isSlow(lengthMs: number): boolean {
    this.#slowCredit = Math.min(SLOW_BURST, this.#slowCredit + SLOWEST)
    const isSlow = lengthMs > this.#slowMs && this.#slowCredit >= 1
    if (isSlow) this.#slowCredit--
    this.#lengths[this.#ended++ % LENGTHS] = lengthMs
    if (this.#ended % (LENGTHS / 8) === 0) {
      const sorted = this.#lengths.toSorted((a, b) => a - b)
      this.#slowMs = sorted[Math.floor((1 - SLOWEST) * sorted.length)]!
    }
    return isSlow
  }
}

function isPlain({ outcome, isIncomplete, kind }: TraceEvent): boolean {
  return (outcome === 'ok' || kind === 'filter') && !isIncomplete
}
