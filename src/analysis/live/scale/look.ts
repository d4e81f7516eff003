import type { Measurements } from '../../types.ts'

/** What is known of a running pipeline when the workers of its stages are to be decided on. */
export interface ScaleLook {
  /** Over a time in which no stage was resized. */
  readonly measurements: Measurements
  /** Stages whose calls overlap: what their workers are busy with is no core time. */
  readonly waiting: ReadonlySet<string>
  /** Cores that the process may use, and those that it has used, all of its threads together. */
  readonly cores: { readonly available: number; readonly used: number }
}

/** How many workers a stage may have, and the share of their time for which they are to be busy. */
export interface ScaleRule {
  readonly node: string
  readonly min: number
  readonly max: number
  readonly busy: number
}
