import type { GraphData } from '../graph/types.ts'
import type { Handlers } from '../worker/call/handlers.ts'
import type { WorkerTask } from '../worker/thread/protocol.ts'
import type { DurableOptions } from './durable-run.ts'

/** What the supervisor needs beside the plan. */
export interface SupervisorOptions {
  readonly graph: GraphData
  readonly hasFunctions: boolean
  /** How workers find the graph in its module, and what else they are given of the run. */
  readonly found: Pick<WorkerTask, 'serial' | 'maker' | 'params'>
  /** Whether the graph is the one that its module exports. */
  readonly isExported: () => Promise<boolean>
  /** Handlers of the stages in this thread, by stage index. */
  readonly embedded: ReadonlyMap<number, Handlers>
  readonly deadlineMs: number
  readonly startDeadlineMs: number
  readonly stallMs: number
  /** Sources start paused. */
  readonly paused: boolean
  /** Dead letters that are kept in memory. */
  readonly deadLetters: number
  readonly deadLetterBytes: number
  /** Traces that are kept, where there are any. */
  readonly recentTraces: number
  /** Absent where the run is not durable. */
  readonly durable: DurableOptions | undefined
}
