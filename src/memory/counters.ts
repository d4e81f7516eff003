import { COUNTERS, EDGE_COUNTERS, TIMES, TRIGGERS, namesOf } from '../figures.ts'

/**
 * The counters of a worker, one float each, in one block that its journal writes. First those of the worker, then a block
 * for each node that it runs (its own, fused ones, conditionals), then a block for each edge that leaves them; of a stage that
 * takes batches, one for its triggers. What each counts, and their order, stands in `figures.ts`.
 *
 * For each node that takes records, at every hand-off: in = done + filtered + failed + deadLettered + in flight. What a
 * node sent is the sum of its edges.
 */
export const HANDOFFS = 0
export const WORKER_FLOATS = 1

/** Where each counter stands in a node's block. */
export const COUNTER = placesOf(COUNTERS)
export const NODE_FLOATS: number = namesOf(COUNTERS).length

/** Where each counter stands in an edge's block. */
export const EDGE_COUNTER = placesOf(EDGE_COUNTERS)
export const EDGE_FLOATS: number = namesOf(EDGE_COUNTERS).length

/** Where each trigger stands in a stage's block of batches. */
export const TRIGGER = placesOf(TRIGGERS)
export const TRIGGER_NAMES: readonly (keyof typeof TRIGGERS)[] = namesOf(TRIGGERS)
export const BATCH_FLOATS: number = TRIGGER_NAMES.length

/** Where a worker's time went, in microseconds; plain floats beside the counters, moved on at every change of state. */
export const TIME = placesOf(TIMES)
/** Which of them runs on, and since when (shared clock, ms). */
export const STATE: number = namesOf(TIMES).length
export const SINCE: number = STATE + 1
export const TIME_FLOATS: number = STATE + 2

function placesOf<T extends object>(table: T): Readonly<Record<keyof T & string, number>> {
  return Object.fromEntries(namesOf(table).map((name, place) => [name, place])) as Record<keyof T & string, number>
}
