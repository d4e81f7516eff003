import { store } from '#atomics'
import type { Memory } from '../memory/memory.ts'
import { EVENT_BYTES, PRESSURE } from '../memory/trace.ts'
import type { Plan } from '../plan/types.ts'
import { monotonicMs, wallMsAt } from '../time.ts'
import { EventDecoder } from './decode.ts'
import type { TracedRecords, TraceEvent, TraceKind } from './event.ts'
import { Feed } from './feed.ts'
import { TraceRings } from './rings.ts'
import type { SinkCounts, TraceSink } from './sink.ts'
import { Tails } from './tails.ts'

/** Above this share of a ring the sources trace half as much; below the other one, for a while, twice as much again. */
const TOO_FULL = 0.5
const EMPTY = 0.1
const CALM_ROUNDS = 50
const MOST_PRESSURE = 20

/** What the tracer says of itself: totals of this run, but for what is said of now. */
export interface TracerMetrics {
  /** Events that were read from the rings, and per second since the last look. */
  readonly read: number
  readonly readPerSecond: number
  readonly bytes: number
  /** Events that had no room in their ring, and events whose sections had none. */
  readonly dropped: number
  readonly truncated: number
  /** Calls of `trace` predicates that threw. */
  readonly threw: number
  /** Attributes that were refused, and calls of `redact` that threw. */
  readonly refused: number
  /** With `tail`: events that wait for their ends, that were not worth keeping, and that were too many to hold. */
  readonly held: number
  readonly forgotten: number
  readonly droppedHeld: number
  /** Age of the oldest event of the last round when it was read. */
  readonly lagMs: number
  /** Now: the largest share of a ring that is taken, and how often the share of traced slots is halved for that. */
  readonly fill: number
  readonly pressure: number
  /** Threads of the tracer that have died. */
  readonly deaths: number
  readonly sinks: readonly SinkCounts[]
}

/** What is told of a worker or of the pipeline, beside the rings. */
export interface LifecycleFacts {
  readonly kind: TraceKind
  readonly time: number
  readonly node?: string | undefined
  readonly worker?: number | undefined
  readonly epoch?: number | undefined
  readonly error?: { readonly code: string; readonly message: string } | undefined
  /** What was in hand at a death, a chunk each, written at a time of the monotonic clock: told as a hop of outcome `died`. */
  readonly hand?: readonly {
    readonly traces: readonly string[]
    readonly records: TracedRecords
    readonly attempt: number
  }[]
}

/** Reads all rings of a pipeline, makes events of what they hold, and feeds the sinks. */
export class Tracer {
  readonly #memory: Memory
  readonly #plan: Plan
  readonly #rings: TraceRings
  readonly #decoder: EventDecoder
  readonly #feeds = new Map<TraceSink, Feed>()
  readonly #tails: Tails | undefined
  readonly #ends: TraceEvent[] = []
  #batch: TraceEvent[] = []
  #read = 0
  #lagMs = 0
  #pressure = 0
  #calm = 0
  #measuredAt = monotonicMs()
  #measuredRead = 0

  constructor(memory: Memory, plan: Plan) {
    this.#memory = memory
    this.#plan = plan
    this.#rings = new TraceRings(
      memory,
      plan.workers.flatMap(({ trace }) => trace ?? []),
    )
    this.#decoder = new EventDecoder(memory, plan, wallMsAt(0))
    if (plan.trace!.tail) this.#tails = new Tails((events) => void this.#batch.push(...events))
  }

  add(sink: TraceSink, most?: number): void {
    this.#feeds.set(sink, new Feed(sink, most))
  }

  /** The sink gets no more; what it was given is written first. */
  async remove(sink: TraceSink): Promise<void> {
    const feed = this.#feeds.get(sink)
    this.#feeds.delete(sink)
    await feed?.close()
  }

  /** Reads what is published. @returns events */
  drain(): number {
    const { fill } = this.#rings
    // By the clock that events are told by: the other one may have been set since.
    const now = this.#decoder.wallAt(monotonicMs())
    const events = this.#rings.drain({
      event: (ring, at) => {
        const { readers } = this.#rings
        const event = this.#decoder.decode(ring, readers[ring]!, at)
        if (this.#lagMs === 0) this.#lagMs = now - event.handedOffAt
        if (this.#tails === undefined) this.#batch.push(event)
        else {
          this.#tails.add(event, this.#decoder.isChosen)
          if (event.kind === 'end') this.#ends.push(event)
        }
      },
      whole: (ends) => {
        if (this.#tails !== undefined) for (const end of this.#ends.splice(0, ends)) this.#tails.judge(end)
      },
    })
    this.#read += events
    this.#lagMs = events === 0 ? 0 : Math.max(0, this.#lagMs)
    this.#press(fill)
    this.#give()
    return events
  }

  /** An event of a worker or of the pipeline. */
  tell({ hand = [], ...facts }: LifecycleFacts): void {
    const { kind } = facts
    this.#batch.push(
      this.#told(facts, { kind, outcome: kind === 'died' ? 'died' : kind === 'failed' ? 'failed' : 'ok' }),
    )
    for (const { traces, records, attempt } of hand) {
      const inputs = [this.#decoder.dated(records)]
      const about = { kind: 'hop', outcome: 'died', traces, inputs, attempt } as const
      const event = this.#told(facts, about)
      if (this.#tails === undefined) this.#batch.push(event)
      else this.#tails.add(event, false)
    }
    this.#give()
  }

  #told(
    { time, node = '', worker = 0, epoch = 0, error }: Omit<LifecycleFacts, 'hand'>,
    about: Pick<TraceEvent, 'kind' | 'outcome'> & Partial<TraceEvent>,
  ): TraceEvent {
    return {
      sequence: this.#decoder.nextSequence(),
      pipeline: this.#plan.graph,
      run: this.#decoder.run,
      traces: [],
      node,
      worker,
      epoch,
      inputs: [],
      outputs: [],
      attempt: 0,
      takenAt: time,
      handedOffAt: time,
      serviceMs: 0,
      ...(error && { error }),
      isIncomplete: false,
      isTruncated: false,
      ...about,
    }
  }

  async flush(): Promise<void> {
    while (this.drain() > 0);
    await Promise.all([...this.#feeds.values()].map((feed) => feed.flush()))
  }

  /** @param deaths of earlier tracers */
  metrics(deaths = 0): TracerMetrics {
    const { readers } = this.#rings
    const now = monotonicMs()
    const seconds = Math.max(0.001, (now - this.#measuredAt) / 1000)
    const readPerSecond = (this.#read - this.#measuredRead) / seconds
    this.#measuredAt = now
    this.#measuredRead = this.#read
    return {
      read: this.#read,
      readPerSecond,
      bytes: this.#read * EVENT_BYTES,
      dropped: readers.reduce((sum, { dropped }) => sum + dropped, 0),
      truncated: readers.reduce((sum, { truncated }) => sum + truncated, 0),
      threw: readers.reduce((sum, { threw }) => sum + threw, 0),
      refused: readers.reduce((sum, { refused }) => sum + refused, 0),
      held: this.#tails?.held ?? 0,
      forgotten: this.#tails?.forgotten ?? 0,
      droppedHeld: this.#tails?.dropped ?? 0,
      lagMs: this.#lagMs,
      fill: this.#rings.fill,
      pressure: this.#pressure,
      deaths,
      sinks: [...this.#feeds.values()].map(({ counts }) => counts),
    }
  }

  #give(): void {
    if (this.#batch.length === 0) return
    const events = this.#batch
    this.#batch = []
    for (const feed of this.#feeds.values()) feed.give(events)
  }

  /** Sources thin out before rings overflow. */
  #press(fill: number): void {
    const before = this.#pressure
    this.#calm = fill < EMPTY ? this.#calm + 1 : 0
    if (fill > TOO_FULL) this.#pressure = Math.min(MOST_PRESSURE, before + 1)
    else if (this.#calm >= CALM_ROUNDS) {
      this.#pressure = Math.max(0, before - 1)
      this.#calm = 0
    }
    if (this.#pressure !== before) store(this.#memory.words, this.#plan.trace!.offset / 4 + PRESSURE, this.#pressure)
  }
}
