import type { RunClock } from './clock.ts'
import type { Random } from './random.ts'

/** What happens to the pipeline. */
export interface Course {
  readonly random: Random
  readonly clock: RunClock
  /** Steps after which the pipeline is not over, though it should be. */
  readonly maxSteps: number
  /** Lights the fuse of a worker that can die, before it is stepped, or before an answer arrives that it waits for. */
  light?(by: 'step' | 'answer'): void
  /** Called before each step. */
  act?(): void | Promise<void>
  /** Called after each step. */
  look?(): void
  /** Something is under way beside the records: the pipeline is not over. */
  isBusy?(): boolean
}

/** How a worker's last step ended, in words. */
export const STEP_NAMES = ['works', 'starved', 'blocked', 'limited', 'waiting', 'ended'] as const
