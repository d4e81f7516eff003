import { PROCESS_TIME } from '../time.ts'

/** The time of a pipeline on one thread: who steps its workers goes on in it, and takes what is due. */
export interface RunClock {
  readonly now: number
  /** Whose timers are set now: they go with it when it dies. */
  owner: unknown
  /** When the next timer is due; Infinity where there is none. */
  readonly nextTimerAt: number
  /** From here on, all of this thread goes by this clock; @param random what `Math.random` gives meanwhile. */
  begin(random: () => number): void
  end(): void
  /** Takes the first timer that is due. */
  due(): Due | undefined
  /** What one has set is another's from now on. */
  pass(from: unknown, to: unknown): void
  /** Forgets the timers of one that is dead. */
  drop(owner: unknown): void
  /** A step has been taken. */
  tick(): void
  /** Nothing can happen before `ms`. False where nothing can happen ever. */
  advanceTo(ms: number): boolean | Promise<boolean>
  /** Lets all settle that needs nothing but its turn. */
  settle(): Promise<void>
  /** Lets all settle that can at this time: what is read, written or looked up comes before any time passes. */
  settleAll(): Promise<void>
}

/** A timer whose time has come. */
export interface Due {
  readonly owner: unknown
  readonly call: () => void
}

/** What is to be looked at again after so long, though nothing has said so. */
const LOOK_MS = 5

/** The time of the process: workers wait as long as they say. */
export class RealClock implements RunClock {
  owner: unknown
  readonly nextTimerAt = Infinity

  get now(): number {
    return PROCESS_TIME.monotonicMs()
  }

  readonly begin = itself
  readonly end = itself
  readonly drop = itself
  readonly pass = itself
  readonly tick = itself

  due(): undefined {
    return undefined
  }

  async advanceTo(ms: number): Promise<boolean> {
    const leftMs = Math.max(1, Math.min(LOOK_MS, ms - this.now))
    await new Promise((resolve) => PROCESS_TIME.setTimeout(resolve, leftMs))
    return true
  }

  readonly settle = turn
  readonly settleAll = turn
}

function itself(): void {
  // Time goes on by itself, and timers are the process's.
}

/** Lets the event loop go round. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void PROCESS_TIME.setImmediate(resolve))
}
