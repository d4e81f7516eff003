/** Requests that may be open at once, items of a `forEach`, and bytes in which a join keeps what waits, where nothing is said. */
export const DEFAULT_REQUESTS = 128
export const DEFAULT_ITEMS = 1_000
export const DEFAULT_JOIN_BYTES = 16_777_216
export const MAX_STASH_BYTES = 536_870_912
/** What a parcel without its value takes in a stash, at most; a quarter of a stash is kept for such. */
export const SMALL_PARCEL_BYTES = 512
export const RESERVED_SHARE = 4
/** Calls of an async `map` behind a `join` that overlap in each worker: as many as those of a step without one. */
export const CALLS = 16
/** What predictions take a `forEach` to have. */
export const TYPICAL_ITEMS = 10
/** Calls of `undo`, at most, and of what they undo. */
export const UNDO_ATTEMPTS = 5
/** Failures are few: their lanes are small, and a larger one goes in fragments. */
export const FAILURE_LANE_BYTES = 65_536
