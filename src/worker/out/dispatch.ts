import type { Dispatch } from '../../plan/definition.ts'

/** Puts a record into the queue of each lane that gets it. */
export interface Chooser {
  choose(value: unknown, origin: number, queues: readonly Queues[]): void
}
interface Queues {
  add(value: unknown, origin: number): void
}

/** Keys are spread over so many virtual partitions, and these over the workers. */
export const PARTITIONS = 1024

/**
 * How a link chooses lanes record by record; undefined: by demand, a granule at a time (`link-writer.ts`).
 * @param lanes how many there are: one for each worker of the next stage
 * @param sentBefore how many records this worker has sent on the link so far, so that a successor takes the next turn
 */
export function chooserOf(
  dispatch: Dispatch,
  functions: { key?: (value: unknown) => string | number; select?: (value: unknown, worker: number) => boolean },
  lanes: number,
  sentBefore: number,
): Chooser | undefined {
  switch (dispatch) {
    case 'demand':
      return undefined
    case 'partition': {
      const owners = partitionOwners(lanes)
      return {
        choose: (value, origin, queues) => queues[owners[partitionOf(functions.key!(value))]!]!.add(value, origin),
      }
    }
    case 'broadcast':
      return {
        choose(value, origin, queues) {
          queues.forEach((queue, worker) => {
            if (functions.select === undefined || functions.select(value, worker)) queue.add(value, origin)
          })
        },
      }
    case 'roundRobin': {
      let turn = sentBefore
      return { choose: (value, origin, queues) => queues[turn++ % queues.length]!.add(value, origin) }
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
