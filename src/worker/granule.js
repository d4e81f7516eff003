import { mix, mixed } from '../lane/ids.js'
export const NO_ANCHORS = Object.freeze([])
/** A granule in a worker's hands: its header, and its records as values. Reused. */
export class Granule {
  slot = 0
  furtherAnchors = NO_ANCHORS
  baseLow = 0
  baseHigh = 0
  first = 0
  salt = 0
  /** Failed attempts before this one. */
  attempt = 0
  count = 0
  /** Records that are done already: the work goes on behind them. */
  from = 0
  stamp = 0
  /** A new array for each granule. */
  values = []
  take(header) {
    this.slot = header.slot
    this.furtherAnchors = header.furtherAnchors
    this.baseLow = header.baseLow
    this.baseHigh = header.baseHigh
    this.first = header.first
    this.salt = header.salt
    this.attempt = header.attempt
  }
}
/** A granule from a lane: where it came from, so that it can be released. */
export class LaneGranule extends Granule {
  lane
  /** Start and end of its frame on the lane. */
  position = 0
  end = 0
  /** When it was taken, in ms of the shared clock. */
  takenAt = 0
}
/** The header of one record of a granule as a granule of its own: the record keeps its id, the granule has one of its own. */
export function headerOf(granule, index, attempt) {
  const { slot, furtherAnchors, baseLow, baseHigh, first, salt } = granule
  return { slot, furtherAnchors, baseLow, baseHigh, first: (first + index) | 0, salt: partSalt(salt, index), attempt }
}
/** The salt of a part of a granule, apart from the whole's and from other parts'. */
export function partSalt(salt, part) {
  return (Math.imul(salt ^ 0x2545f491, 0x9e3779b1) ^ Math.imul(part + 1, 0x85ebca6b)) | 1
}
/** Computes the id of a record into `mixed`. */
export function idOf(header, index) {
  mix(header.baseLow, header.baseHigh, (header.first + index) | 0)
}
/** The id that the acks follow a granule by, in `mixed`. */
export function tokenOf(header) {
  mix(header.baseLow, header.baseHigh, header.first)
  if (header.salt !== 0) mix(mixed.low, mixed.high, header.salt)
}
/** Makes the base of what comes of a granule, in `mixed`: no other granule has it, and a replay makes it again. */
export function deriveBase(header, place) {
  tokenOf(header)
  mix(mixed.low, mixed.high, place)
}
