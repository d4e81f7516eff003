import { MillraceError } from '../../errors.ts'
import { partitionOfKey, partitionOwners } from '../../lane/partitions.ts'
import type { LinkPlan } from '../../plan/types.ts'

/** How a link chooses lanes record by record. */
export interface Dispatcher {
  /** Puts a record into the queue of each lane that gets it. */
  dispatch(value: unknown, origin: number, queues: readonly Queues[]): void
  /** Several lanes may get the same record: its copies need ids of their own. */
  readonly copies?: true
}
interface Queues {
  add(value: unknown, origin: number): void
}

/** The user's functions that a link chooses lanes by, where it has them. */
interface DispatchFunctions {
  readonly key?: (value: unknown) => string | number
  readonly select?: (value: unknown, worker: number) => boolean
}

/**
 * The dispatcher of a link; undefined: by demand, a chunk at a time (`link-writer.ts`).
 * @param lanes how many of them are in use: one for each worker that the next stage has
 * @param sentBefore how many records this worker has sent on the link so far, so that a successor takes the next turn
 */
export function dispatcherOf(
  { dispatch, toNode }: Pick<LinkPlan, 'dispatch' | 'toNode'>,
  { key, select }: DispatchFunctions,
  lanes: number,
  sentBefore: number,
): Dispatcher | undefined {
  switch (dispatch) {
    case 'demand':
      return undefined
    case 'partition': {
      if (key === undefined) throw new MillraceError('HANDLER_MISSING', { node: toNode, handler: 'partitionBy' })
      const owners = partitionOwners(lanes)
      return {
        dispatch: (value, origin, queues) => queues[owners[partitionOfKey(key(value))]!]!.add(value, origin),
      }
    }
    case 'broadcast':
      return {
        copies: true,
        dispatch(value, origin, queues) {
          queues.forEach((queue, worker) => {
            if (select === undefined || select(value, worker)) queue.add(value, origin)
          })
        },
      }
    case 'roundRobin': {
      let turn = sentBefore
      return { dispatch: (value, origin, queues) => queues[turn++ % queues.length]!.add(value, origin) }
    }
    default:
      return dispatch satisfies never
  }
}
