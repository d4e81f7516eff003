/** What a sheet holds beside its scripts: a graph as plain data, and what is known of it. */
import type { Difference } from '../analysis/diff.ts'
import type { Measurements } from '../analysis/types.ts'
import type { GraphData } from '../graph/types.ts'

export interface SheetData {
  readonly graph: GraphData
  /** The same as it was, and what has changed since. */
  readonly before?: GraphData
  readonly differences?: readonly Difference[]
  readonly measurements?: Measurements
  /** Cores that `cpu` stages share. */
  readonly cores: number
  /** Bytes of the lanes into each node; of a graph that cannot be planned, none. */
  readonly memory: Readonly<Record<string, number>>
}

/** What the colour of a node stands for. */
export const PAINTS = ['load', 'errors', 'p99', 'memory'] as const
export type Paint = (typeof PAINTS)[number]
