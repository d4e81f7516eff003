import { errorText } from '../errors.ts'
import { MAX_TIMER_MS, clearTimeout, setTimeout, wallMs } from '../time.ts'
import type { FlowRequest } from './flow-request.ts'
import type { RunningFlow } from './running-flow.ts'
import type { SharedFlow } from './instances/shared-flow.ts'
import { type ScheduleTimes, type When, scheduleTimes, wrong } from './schedule-times.ts'

/** Of times that were missed, so many of the last ones are made up for, at most. */
const MAX_MISSED = 1_000
/** One that is looked at later than this was missed. */
const LATE_MS = 1_000
/** The longest time for which the wall clock is not looked at. */
const AGAIN_MS = 60_000
const MISSED = ['skip', 'once', 'all'] as const
const OVERLAPS = ['skip', 'wait', 'allow'] as const

/** When and how a flow is asked by itself. */
export type ScheduleOptions<Input> = When & {
  /** Names the schedule: its requests have the ids `NAME@TIME`. Default: `schedule`. */
  readonly name?: string
  /** What is asked; a function gets the time for which it is asked. */
  readonly input: Input | ((at: Date) => Input)
  /**
   * What becomes of times that were missed, because the process slept or, with a store, because none ran: they are left out (`skip`), the
   * last one is made up for (`once`, the default), or each is, up to the last 1,000 (`all`).
   */
  readonly missed?: (typeof MISSED)[number]
  /**
   * What becomes of a time at which the request before is still open: it is left out (`skip`, the default), it is asked once that has
   * ended (`wait`), or at once (`allow`).
   */
  readonly overlap?: (typeof OVERLAPS)[number]
  /** Of each request. */
  readonly timeoutMs?: number
  /** Told of each request that it has started. */
  readonly onRequest?: (request: FlowRequest, at: Date) => void
}

/** Asks a flow at its times, until it is stopped or the flow is closed. */
export interface FlowSchedule extends Disposable {
  readonly name: string
  /** The next time; undefined where there is none. */
  readonly next: Date | undefined
  /** Requests that were started go on. */
  stop(): void
}

/**
 * Asks a running flow by itself: `await schedule(running, { cron: '0 6 * * 1-5', timeZone: 'Europe/Berlin', input: 'all' })`. Each time has
 * a request of its own id, so that none is asked twice: not by two schedules of the same name, and with a store not by two processes one
 * after the other.
 * @throws OPTIONS_INVALID, CONNECTOR_NOT_INSTALLED without the package `croner`
 */
export async function schedule<Input>(flow: AskedFlow<Input>, options: ScheduleOptions<Input>): Promise<FlowSchedule> {
  const { missed = 'once', overlap = 'skip', name = 'schedule' } = options
  if (!MISSED.includes(missed)) throw wrong(`\`missed\` must be one of ${MISSED.join(', ')}.`)
  if (!OVERLAPS.includes(overlap)) throw wrong(`\`overlap\` must be one of ${OVERLAPS.join(', ')}.`)
  if (typeof name !== 'string' || name === '' || name.length > 100)
    throw wrong('`name` must be a text of 1 to 100 characters.')
  const times = await scheduleTimes(options)
  return new RunningSchedule(flow, { ...options, missed, overlap, name }, times, await lastKnown(flow, name))
}

type AskedFlow<Input> = RunningFlow<Input, any> | SharedFlow<Input, any>

/** The last time of a schedule for which there is a request, also from an earlier process, and that request. */
interface LastKnown {
  readonly at: number
  readonly request: FlowRequest | undefined
}

async function lastKnown(flow: AskedFlow<any>, name: string): Promise<LastKnown | undefined> {
  const prefix = `${name}@`
  const times = (await flow.list({ limit: Infinity }))
    .filter(({ id }) => id.startsWith(prefix))
    .map(({ id }) => Date.parse(id.slice(prefix.length)))
    .filter((at) => !Number.isNaN(at))
  if (times.length === 0) return undefined
  const at = times.reduce((latest, at) => Math.max(latest, at))
  return { at, request: await flow.get(prefix + new Date(at).toISOString()) }
}

type Filled<Input> = ScheduleOptions<Input> & Required<Pick<ScheduleOptions<Input>, 'missed' | 'overlap' | 'name'>>

class RunningSchedule<Input> implements FlowSchedule {
  readonly name: string
  readonly #flow: AskedFlow<Input>
  readonly #options: Filled<Input>
  readonly #times: ScheduleTimes
  /** The last time that was looked at. */
  #last: number
  #before: FlowRequest | undefined
  #waiting: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #isOver = false

  constructor(flow: AskedFlow<Input>, options: Filled<Input>, times: ScheduleTimes, last: LastKnown | undefined) {
    this.name = options.name
    this.#flow = flow
    this.#options = options
    this.#times = times
    this.#last = last?.at ?? wallMs()
    this.#before = last?.request
    const stop = (): void => this.stop()
    const finished: Promise<unknown> = 'role' in flow ? flow.finished : flow.pipeline.finished
    finished.then(stop, stop)
    this.#look()
  }

  get next(): Date | undefined {
    const at = this.#isOver ? undefined : this.#times.next(this.#last)
    return at === undefined ? undefined : new Date(at)
  }

  stop(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
  }

  [Symbol.dispose](): void {
    this.stop()
  }

  /** Asks for all that is due, and waits for the next time. */
  #look(): void {
    if (this.#isOver) return
    const now = wallMs()
    const { missed } = this.#options
    const due = this.#times.between(this.#last, now, MAX_MISSED)
    // Whatever is due beside the last one was missed; and so was that one, if it is long ago.
    const isLate = due.length > 0 && now - due.at(-1)! > LATE_MS
    const kept = missed === 'all' ? due : missed === 'skip' && isLate ? [] : due.slice(-1)
    for (const at of kept) this.#ask(at)
    this.#last = due.at(-1) ?? this.#last
    const next = this.#times.next(Math.max(this.#last, now))
    if (next === undefined) return this.stop()
    // The wall clock may be set meanwhile: it is looked at again before.
    this.#timer = setTimeout(() => this.#look(), Math.min(MAX_TIMER_MS, AGAIN_MS, Math.max(1, next - now)))
  }

  #ask(at: number): void {
    const { overlap } = this.#options
    if (overlap === 'wait') this.#waiting = this.#waiting.then(() => this.#startAfter(at))
    else if (overlap === 'allow' || this.#before?.isOpen !== true) this.#start(at)
  }

  async #startAfter(at: number): Promise<void> {
    await this.#before?.ended
    if (!this.#isOver) this.#start(at)
  }

  #start(at: number): void {
    const { input, timeoutMs, onRequest } = this.#options
    const time = new Date(at)
    try {
      const given = typeof input === 'function' ? (input as (at: Date) => Input)(time) : input
      const limits = timeoutMs === undefined ? {} : { timeoutMs }
      this.#before = this.#flow.start(given, { id: `${this.name}@${time.toISOString()}`, ...limits })
      onRequest?.(this.#before, time)
    } catch (error) {
      // The next time may go well.
      process.emitWarning(`The schedule ${this.name} could not ask: ${errorText(error).message}`, 'MillraceWarning')
    }
  }
}
