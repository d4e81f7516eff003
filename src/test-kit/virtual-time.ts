/** The time of the net: it stands still, but for what the scheduler gives it. Shipped code reads it like any other. */
import timers from 'node:timers'
import { syncBuiltinESMExports } from 'node:module'

interface Timer {
  readonly at: number
  owner: unknown
  readonly call: () => void
}

/** Lets all promises settle that can, before anything else happens. */
export const settled: () => Promise<void> = (
  (real) => () =>
    new Promise((resolve) => void real(resolve))
)(setImmediate)

const EPOCH_MS = 1_700_000_000_000

class Time {
  now = 1_000
  /** Whose timers are set now: they go with it when it dies. */
  owner: unknown
  #timers: Timer[] = []

  install(): void {
    performance.now = () => this.now
    Date.now = () => EPOCH_MS + Math.floor(this.now)
    const set = (call: (...given: unknown[]) => void, ms = 0, ...given: unknown[]): Timer => {
      const timer = { at: this.now + Math.max(0, ms), owner: this.owner, call: () => call(...given) }
      this.#timers.push(timer)
      return timer
    }
    const clear = (timer: unknown): void => {
      const at = this.#timers.indexOf(timer as Timer)
      if (at >= 0) this.#timers.splice(at, 1)
    }
    const fakes = {
      setTimeout: set,
      clearTimeout: clear,
      setImmediate: (call: () => void) => set(call),
      clearImmediate: clear,
    }
    Object.assign(globalThis, fakes)
    Object.assign(timers, fakes)
    syncBuiltinESMExports()
  }

  /** A round begins: neither its time nor its chances depend on those before it. */
  reset(random: () => number): void {
    Math.random = random
    this.now = 1_000
    this.owner = undefined
    this.#timers = []
  }

  /** What one has set is another's from now on. */
  pass(from: unknown, to: unknown): void {
    for (const timer of this.#timers) if (timer.owner === from) timer.owner = to
  }

  /** Forgets the timers of one that is dead. */
  drop(owner: unknown): void {
    this.#timers = this.#timers.filter((timer) => timer.owner !== owner)
  }

  get nextTimerAt(): number {
    return Math.min(Infinity, ...this.#timers.map(({ at }) => at))
  }

  /** Takes the first timer that is due. */
  due(): Timer | undefined {
    const at = this.#timers.findIndex((timer) => timer.at <= this.now)
    return at < 0 ? undefined : this.#timers.splice(at, 1)[0]
  }
}

export const time = new Time()
