/** Plain data of a graph: what is drawn, analysed, planned and run. Handlers are the only part that is not data. */
export const NODE_KINDS = ['source', 'transform', 'buffer', 'conditional', 'merge', 'sink']
export const PATH_TYPES = ['normal', 'error', 'retry', 'dead_letter']
export const DISPATCHES = ['demand', 'partition', 'broadcast', 'roundRobin']
/** A source record with its cursor (where to go on after it) and its receipt (what `ack` is given for it). */
export class Marked {
  value
  cursor
  receipt
  constructor(value, cursor, receipt) {
    this.value = value
    this.cursor = cursor
    this.receipt = receipt
  }
}
/** Marks a source record with a cursor, and with a receipt where `ack` needs more than the cursor. */
export function mark(value, marks) {
  return new Marked(value, marks.cursor, marks.receipt)
}
export const CODEC_NAMES = ['shape', 'msgpack', 'json', 'bytes']
export const STRUCT_TYPES = ['i32', 'u32', 'f64', 'bool']
