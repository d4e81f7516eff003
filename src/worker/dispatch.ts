import type { Dispatch } from '../plan/definition.ts'

/** Puts a record into the queue of each lane that gets it. */
export interface Chooser {
  choose(value: unknown, origin: number, queues: readonly Queues[]): void
}
interface Queues {
  add(value: unknown, origin: number): void
}

/** Keys are spread over so many virtual partitions, and these over the workers: a pool may change without moving every key. */
const PARTITIONS = 1024

/**
 * How a link chooses lanes record by record; undefined: by demand, a granule at a time (`link-writer.ts`).
 * @param sentBefore how many records this worker has sent on the link so far, so that a successor takes the next turn
 */
export function chooserOf(
  dispatch: Dispatch,
  functions: { key?: (value: unknown) => string | number; select?: (value: unknown, worker: number) => boolean },
  sentBefore: number,
): Chooser | undefined {
  switch (dispatch) {
    case 'partition':
      return {
        choose: (value, origin, queues) =>
          queues[partitionOf(functions.key!(value)) % queues.length]!.add(value, origin),
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
      return undefined
  }
}

/** The virtual partition of a key: FNV-1a over the characters of its text, so that every worker and every run agrees. */
function partitionOf(key: string | number): number {
  const text = typeof key === 'string' ? key : String(key)
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash ^ (hash >>> 15)) & (PARTITIONS - 1)
}
