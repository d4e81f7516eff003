import { MillraceError } from '../../errors.ts'
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

/** Keys are spread over so many virtual partitions, and these over the workers. */
export const PARTITIONS = 1024

/** The user's functions that a link chooses lanes by, where it has them. */
interface DispatchFunctions {
  readonly key?: (value: unknown) => string | number
  readonly select?: (value: unknown, worker: number) => boolean
}

/**
 * The dispatcher of a link; undefined: by demand, a granule at a time (`link-writer.ts`).
 * @param lanes how many there are: one for each worker of the next stage
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
        dispatch: (value, origin, queues) => queues[owners[partitionOf(key(value))]!]!.add(value, origin),
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

/**
 * The worker of each partition. One worker more takes its share from those that have most, and moves nothing else: of n + 1
 * workers, n keep what they keep, and one key in n + 1 moves.
 */
export function partitionOwners(workers: number): Uint16Array {
  const owners = new Uint16Array(PARTITIONS)
  const owned = [Array.from({ length: PARTITIONS }, (_, partition) => partition)]
  for (let worker = 1; worker < workers; worker++) {
    const own: number[] = []
    for (let share = Math.floor(PARTITIONS / (worker + 1)); share > 0; share--) {
      const richest = owned.reduce((most, each) => (each.length > most.length ? each : most))
      own.push(richest.pop()!)
    }
    owned.push(own)
  }
  owned.forEach((partitions, worker) => partitions.forEach((partition) => (owners[partition] = worker)))
  return owners
}

/** The virtual partition of a key: FNV-1a over the characters of its text, so that every worker and every run agrees. */
function partitionOf(key: string | number): number {
  const text = typeof key === 'string' ? key : String(key)
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash ^ (hash >>> 15)) & (PARTITIONS - 1)
}
