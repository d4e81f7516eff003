import { store } from '#atomics'
import { MillraceError } from '../errors.ts'
import type { GraphData } from '../graph/types.ts'
import type { Memory } from '../memory/memory.ts'
import { EVERY, RATE } from '../memory/trace.ts'
import type { Plan } from '../plan/types.ts'
import { within } from '../running-time.ts'
import { setTimeout, wallMs } from '../time.ts'
import { runIdOf } from '../lane/trace-id.ts'
import type { TraceEvent } from './event.ts'
import { Feed } from './feed.ts'
import { TracerHost } from './host.ts'
import type { Answers, FromTracer, Question, ToTracer, TracerTask } from './messages.ts'
import type { KeptTrace } from './recent.ts'
import type { TraceSink } from './sink.ts'
import type { TraceRun } from './source.ts'
import type { TraceStore } from './store/store.ts'
import type { LifecycleFacts, TracerMetrics } from './tracer.ts'

/** A tracer that has died is started again after this. */
const RESTART_MS = 100
/** So long may sinks take to write the rest when the pipeline has ended. */
const LAST_MS = 5_000

/** What of the selection may change while the pipeline runs. */
export interface TraceRates {
  /** Share of the source chunks that are traced. */
  readonly rate: number
  /** One of so many chunks of each source worker as well; 0: none. */
  readonly every: number
}

/** The supervisor's end of the line to a tracer. */
export interface TracerLine {
  tell(message: ToTracer): void
  /** Keeps the process alive, or no more. */
  hold(isHeld: boolean): void
  end(): Promise<void>
}

/** Told of what a tracer says, and of its death. */
export interface TracerListener {
  take(message: FromTracer): void
  died(): void
}

type StartTracer = (task: TracerTask, listener: TracerListener) => TracerLine

/** What is kept of tracing when the pipeline has ended. */
interface Left {
  readonly recent: readonly KeptTrace[]
  readonly lifecycle: readonly TraceEvent[]
  readonly metrics: TracerMetrics
}

/** Of a tracer that did not answer. */
const NO_METRICS: TracerMetrics = {
  read: 0,
  readPerSecond: 0,
  bytes: 0,
  dropped: 0,
  truncated: 0,
  threw: 0,
  refused: 0,
  held: 0,
  forgotten: 0,
  droppedHeld: 0,
  lagMs: 0,
  fill: 0,
  pressure: 0,
  deaths: 0,
  sinks: [],
}

/** Tracing of one pipeline, as the thread sees it that called `run`: what is chosen, and what was read. */
export class Tracing {
  readonly #memory: Memory
  readonly #plan: Plan
  readonly #task: TracerTask
  readonly #startThread: StartTracer | undefined
  readonly #startedAt = wallMs()
  readonly #feeds = new Map<TraceSink, Feed>()
  readonly #asked = new Map<number, { what: Question; resolve: (answer: unknown) => void }>()
  /** Where the events of this run are kept; absent without the option `store`. */
  store: TraceStore | undefined
  /** Absent while a dead tracer has no successor. */
  #line: TracerLine | undefined
  /** What was kept when the pipeline ended: the tracer itself is gone then. */
  #left: Left | undefined
  #id = 0
  #deaths = 0

  /**
   * @internal
   * @param startThread absent where no file of ours can be started as a thread: in a bundle
   */
  constructor(memory: Memory, task: TracerTask, startThread: StartTracer | undefined) {
    this.#memory = memory
    this.#plan = task.plan
    this.#task = task
    this.#startThread = startThread
    this.set(task.plan.trace!)
    this.#start()
  }

  /** What is chosen now. */
  get rates(): TraceRates {
    const { offset } = this.#plan.trace!
    return { rate: this.#memory.floats[offset / 8 + RATE]!, every: this.#memory.words[offset / 4 + EVERY]! }
  }

  /** Changes what is chosen, from the next chunks on. @throws OPTIONS_INVALID */
  set({ rate, every }: Partial<TraceRates>): void {
    const { offset } = this.#plan.trace!
    const problems: string[] = []
    if (rate !== undefined && !(rate >= 0 && rate <= 1)) problems.push('rate: a number from 0 to 1')
    if (every !== undefined && !(Number.isInteger(every) && every >= 0 && every < 2 ** 31))
      problems.push('every: a whole number, 0 or more')
    if (problems.length > 0) throw new MillraceError('OPTIONS_INVALID', { problems })
    if (rate !== undefined) this.#memory.floats[offset / 8 + RATE] = rate
    // After the float, which is a plain store: who sees this one sees both.
    store(this.#memory.words, offset / 4 + EVERY, every ?? this.rates.every)
  }

  /** The last traces, oldest first. */
  recent(most?: number): Promise<readonly KeptTrace[]> {
    return this.#ask({ about: 'recent', most })
  }

  /** One trace by its id, as long as it is kept. */
  trace(id: string): Promise<KeptTrace | undefined> {
    return this.#ask({ about: 'trace', trace: id })
  }

  /** The last events of workers and of the pipeline. */
  lifecycle(): Promise<readonly TraceEvent[]> {
    return this.#ask({ about: 'lifecycle' })
  }

  /** The tracer's own figures. */
  async metrics(): Promise<TracerMetrics> {
    const metrics = await this.#ask({ about: 'metrics' })
    return { ...metrics, deaths: this.#deaths, sinks: [...metrics.sinks, ...this.#sinkCounts()] }
  }

  /** Resolves when all that the workers have handed off by now is read. */
  async flush(): Promise<void> {
    if (this.#left !== undefined) return
    await this.#ask({ about: 'flush' })
    await Promise.all([...this.#feeds.values()].map((feed) => feed.flush()))
  }

  /**
   * Feeds a sink in this thread from now on, by a queue of its own. Returns what ends that.
   * @param most events that may wait in the queue
   */
  add(sink: TraceSink, most?: number): () => Promise<void> {
    this.#feeds.set(sink, new Feed(sink, most))
    this.#line?.tell({ type: 'subscribe', isWanted: true })
    return async () => {
      const feed = this.#feeds.get(sink)
      this.#feeds.delete(sink)
      if (this.#feeds.size === 0) this.#line?.tell({ type: 'subscribe', isWanted: false })
      await feed?.close()
    }
  }

  /** The id of the run that the events are of: 16 digits. */
  get id(): string {
    return runIdOf(this.#memory, this.#plan)
  }

  /** The run that the events are of, as stores name it. */
  run(graph: GraphData): TraceRun {
    return { pipeline: this.#plan.graph, run: this.id, startedAt: this.#startedAt, graph }
  }

  /** Keeps all events from now on in a store, which ends with the pipeline. */
  async keep(store: TraceStore, graph: GraphData): Promise<void> {
    await store.begin(this.run(graph))
    this.store = store
    this.add({
      name: 'store',
      write: (events) => store.write(events),
      flush: () => store.flush(),
      close: () => store.close(),
    })
  }

  /** @internal An event of a worker or of the pipeline. */
  tell(facts: LifecycleFacts): void {
    this.#line?.tell({ type: 'lifecycle', facts })
  }

  /** @internal The pipeline has ended: reads the rest and ends the tracer. What was kept can be asked for still. */
  async settle(): Promise<void> {
    // A sink that does not answer, or a tracer that does not, holds up no end.
    await within(LAST_MS, this.flush())
    const [recent = [], lifecycle = [], metrics = NO_METRICS] = await Promise.all([
      within(LAST_MS, this.recent()),
      within(LAST_MS, this.lifecycle()),
      within(LAST_MS, this.#ask({ about: 'metrics' })),
    ])
    this.#left = { recent, lifecycle, metrics }
    // Who asked meanwhile hears nothing of a tracer that is ended.
    for (const { what, resolve } of this.#asked.values()) resolve(answerOf(this.#left, what))
    this.#asked.clear()
    this.#line?.hold(false)
    await within(LAST_MS, Promise.all([...this.#feeds.values()].map((feed) => feed.close())))
    await this.#line?.end()
  }

  #start(): void {
    const listener = { take: (message: FromTracer) => this.#take(message), died: () => this.#died() }
    this.#line = this.#startThread === undefined ? this.#startHere() : this.#startThread(this.#task, listener)
    if (this.#feeds.size > 0) this.#line.tell({ type: 'subscribe', isWanted: true })
    for (const [id, { what }] of this.#asked) this.#line.tell({ type: 'ask', id, what })
    this.#line.hold(this.#asked.size > 0)
  }

  #startHere(): TracerLine {
    const host = new TracerHost(this.#task, (message) => this.#take(message))
    return {
      tell: (message) => host.take(message),
      hold: () => undefined,
      end: () => {
        host.stop()
        return Promise.resolve()
      },
    }
  }

  /** Its death costs no event: what it has not given back lies in the rings still. What it kept in memory is lost. */
  #died(): void {
    if (this.#left !== undefined) return
    this.#deaths++
    this.#line = undefined
    setTimeout(() => {
      if (this.#left === undefined) this.#start()
    }, RESTART_MS)
  }

  #take(message: FromTracer): void {
    if (message.type === 'events') {
      for (const feed of this.#feeds.values()) feed.give(message.events)
      this.#line?.tell({ type: 'taken' })
      return
    }
    this.#asked.get(message.id)?.resolve(message.answer)
    this.#asked.delete(message.id)
    this.#line?.hold(this.#asked.size > 0)
  }

  #ask<Q extends Question>(what: Q): Promise<Answers[Q['about']]> {
    if (this.#left !== undefined) return Promise.resolve(answerOf(this.#left, what) as Answers[Q['about']])
    const id = this.#id++
    return new Promise((resolve) => {
      this.#asked.set(id, { what, resolve: resolve as (answer: unknown) => void })
      this.#line?.hold(true)
      this.#line?.tell({ type: 'ask', id, what })
    })
  }

  #sinkCounts(): readonly Feed['counts'][] {
    return [...this.#feeds.values()].map(({ counts }) => counts)
  }
}

/** What the tracer would have answered. */
function answerOf({ recent, lifecycle, metrics }: Left, what: Question): Answers[Question['about']] {
  switch (what.about) {
    case 'recent':
      return what.most === 0 ? [] : recent.slice(-(what.most ?? Infinity))
    case 'trace':
      return recent.find(({ trace }) => trace === what.trace)
    case 'lifecycle':
      return lifecycle
    case 'metrics':
      return metrics
    case 'flush':
      return undefined
    default:
      return what satisfies never
  }
}
