import { LINE_BYTES } from './memory.ts'

/**
 * How many workers a stage has that can be resized, stored by the supervisor. A resize is a new version; the number of the version
 * before stands beside it, for whoever is still at that one.
 *
 *     0    VERSION  counts up with every resize
 *     4    WORKERS  of the even version, then of the odd one
 */
export const VERSION = 0
export const WORKERS = 1
export const SIZING_BYTES: number = LINE_BYTES
