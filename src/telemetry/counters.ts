/**
 * The counters of a worker, one float each, in one block that its journal writes. First those of the worker, then a block
 * for each node that it runs (its own, fused ones, conditionals), then a block for each edge that leaves them.
 *
 * For each node that takes records, at every hand-off: in = done + filtered + failed + deadLettered + in flight. What a
 * node sent is the sum of its edges.
 */
export const HANDOFFS = 0
export const WORKER_COUNTERS = 1

export const NODE_COUNTERS = ['in', 'done', 'filtered', 'failed', 'deadLettered', 'retried', 'crashed'] as const
/** The counters of a node. */
export type NodeCounter = (typeof NODE_COUNTERS)[number]

// Indexes in a node's block; the order of NODE_COUNTERS.
export const IN = 0
export const DONE = 1
export const FILTERED = 2
export const FAILED = 3
export const DEAD_LETTERED = 4
export const RETRIED = 5
export const CRASHED = 6

// Indexes in an edge's block.
export const RECORDS = 0
export const DROPPED = 1
export const BYTES = 2
export const EDGE_COUNTERS = 3

/** Where a worker's time went, in microseconds; plain floats beside the counters, moved on at every change of state. */
export const TIMES = ['busy', 'starved', 'blocked', 'limited'] as const
export const BUSY = 0
export const STARVED = 1
export const BLOCKED = 2
export const LIMITED = 3
/** Which of them runs on, and since when (shared clock, ms). */
export const STATE = 4
export const SINCE = 5
export const TIME_FLOATS = 6
