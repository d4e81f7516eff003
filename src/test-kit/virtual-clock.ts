import { syncBuiltinESMExports } from 'node:module'
import { performance } from 'node:perf_hooks'
import timers from 'node:timers'
import timersPromises from 'node:timers/promises'
import { promisify } from 'node:util'
import { PROCESS_TIME, type TimeSource, drained, goBy } from '../time.ts'
import { requestsUnderWay } from '../worker/thread/leaving.ts'
import { type RunClock, type Due, turn } from './clock.ts'

const EPOCH_MS = 1_700_000_000_000
const START_MS = 1_000
/** What a step takes. */
const STEP_MS = 0.002
const RealDate = Date

/** A timer as Node gives it, and as it is kept. */
class VirtualTimer {
  at: number
  owner: unknown
  readonly #clock: VirtualClock
  readonly #ms: number
  readonly #call: () => void
  readonly #repeats: boolean
  readonly #id: number

  constructor(
    clock: VirtualClock,
    { ms, call, repeats, id }: { ms: number; call: () => void; repeats: boolean; id: number },
  ) {
    this.#clock = clock
    this.#ms = repeats ? Math.max(1, ms) : Math.max(0, ms)
    this.#call = call
    this.#repeats = repeats
    this.#id = id
    this.owner = clock.owner
    this.at = clock.now + this.#ms
  }

  readonly call = (): void => {
    if (this.#repeats) this.refresh()
    this.#call()
  }

  refresh(): this {
    this.#clock.remove(this)
    this.at = this.#clock.now + this.#ms
    this.#clock.add(this)
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  hasRef(): boolean {
    return true
  }

  close(): this {
    this.#clock.remove(this)
    return this
  }

  [Symbol.dispose](): void {
    this.close()
  }

  [Symbol.toPrimitive](): number {
    return this.#id
  }
}

/**
 * A time that stands still, but for what a step takes, and leaps to the next moment at which something can happen. While it is begun, the
 * library goes by it, and so do the timers, `Date`, `performance.now` and `Math.random` of the whole thread.
 */
export class VirtualClock implements RunClock {
  now = START_MS
  owner: unknown
  #timers: VirtualTimer[] = []
  #ids = 0
  #undo: (() => void)[] = []
  /** Those of others, which were under way before. */
  #requestsBefore = 0

  begin(random: () => number): void {
    this.now = START_MS
    this.owner = undefined
    this.#timers = []
    this.#requestsBefore = requestsUnderWay()
    const source = this.#source()
    const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate } = source
    const fakes = { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate: clearTimeout }
    goBy(source)
    this.#replace(globalThis, { ...fakes, Date: dateOf(source.wallMs) })
    this.#replace(timers, fakes)
    this.#replace(timersPromises, { setTimeout: promisify(setTimeout), setImmediate: promisify(setImmediate) })
    this.#replace(performance, { now: source.monotonicMs })
    this.#replace(Math, { random })
    syncBuiltinESMExports()
  }

  end(): void {
    for (const undo of this.#undo.splice(0).reverse()) undo()
    syncBuiltinESMExports()
    goBy(PROCESS_TIME)
  }

  add(timer: VirtualTimer): void {
    this.#timers.push(timer)
  }

  remove(timer: unknown): void {
    const isId = typeof timer === 'number' || typeof timer === 'string'
    const at = this.#timers.findIndex((each) => (isId ? Number(each) === Number(timer) : each === timer))
    if (at >= 0) this.#timers.splice(at, 1)
  }

  get nextTimerAt(): number {
    return Math.min(Infinity, ...this.#timers.map(({ at }) => at))
  }

  due(): Due | undefined {
    let first: VirtualTimer | undefined
    for (const timer of this.#timers) if (timer.at <= this.now && timer.at < (first?.at ?? Infinity)) first = timer
    if (first !== undefined) this.remove(first)
    return first
  }

  pass(from: unknown, to: unknown): void {
    for (const timer of this.#timers) if (timer.owner === from) timer.owner = to
  }

  drop(owner: unknown): void {
    this.#timers = this.#timers.filter((timer) => timer.owner !== owner)
  }

  tick(): void {
    this.now += STEP_MS
  }

  advanceTo(ms: number): boolean | Promise<boolean> {
    // Whoever waits for ever may wait for what was taken for another's.
    if (ms === Infinity) return requestsUnderWay() > 0 && turn().then(() => true)
    this.now = Math.max(this.now + STEP_MS / 2, ms)
    return true
  }

  /** Promises only: what is read or written comes when no worker can go on, at `settleAll`, and so at no chance moment. */
  readonly settle = drained

  async settleAll(): Promise<void> {
    for (;;) {
      await turn()
      const requests = requestsUnderWay()
      if (requests <= this.#requestsBefore) {
        this.#requestsBefore = requests
        return
      }
    }
  }

  #source(): TimeSource {
    const set = (repeats: boolean) => {
      const setter = (call: (...given: unknown[]) => void, ms = 0, ...given: unknown[]): VirtualTimer => {
        const timer = new VirtualTimer(this, { ms, call: () => call(...given), repeats, id: ++this.#ids })
        this.add(timer)
        return timer
      }
      return Object.assign(setter, {
        [promisify.custom]: (ms: number, value: unknown) => new Promise((resolve) => setter(() => resolve(value), ms)),
      }) as unknown
    }
    const setTimeout = set(false) as TimeSource['setTimeout']
    const immediate = (call: (...given: unknown[]) => void, ...given: unknown[]): unknown =>
      setTimeout(call, 0, ...given)
    const clear = (timer: unknown): void => this.remove(timer)
    return {
      monotonicMs: () => this.now,
      wallMs: () => EPOCH_MS + Math.floor(this.now),
      setTimeout,
      clearTimeout: clear,
      setInterval: set(true) as TimeSource['setInterval'],
      clearInterval: clear,
      setImmediate: Object.assign(immediate, {
        [promisify.custom]: (value: unknown) => new Promise((resolve) => void setTimeout(() => resolve(value))),
      }) as unknown as TimeSource['setImmediate'],
    }
  }

  #replace(target: object, fakes: object): void {
    for (const [name, value] of Object.entries(fakes)) {
      const own = Object.getOwnPropertyDescriptor(target, name)
      Object.defineProperty(target, name, {
        configurable: true,
        enumerable: own?.enumerable ?? true,
        writable: true,
        value,
      })
      this.#undo.push(() => {
        if (own === undefined) Reflect.deleteProperty(target, name)
        else Object.defineProperty(target, name, own)
      })
    }
  }
}

/** `Date` by another clock. */
function dateOf(wallMs: () => number): DateConstructor {
  return new Proxy(RealDate, {
    construct: (target, given: [], made: Function) =>
      Reflect.construct(target, given.length === 0 ? [wallMs()] : given, made),
    apply: () => new RealDate(wallMs()).toString(),
    get: (target, name) => (name === 'now' ? wallMs : Reflect.get(target, name)),
  })
}
