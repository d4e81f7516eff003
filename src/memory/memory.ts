/** The views of one shared buffer. Offsets in plans are bytes; `words` and `floats` are indexed by offset / 4 and / 8. */
export interface Memory {
  readonly words: Int32Array
  readonly floats: Float64Array
  readonly bytes: Buffer
}

/** Distance of words that different threads write, in bytes: two cache lines, because processors fetch lines in pairs. */
export const LINE_BYTES = 128

export function viewMemory(buffer: SharedArrayBuffer | ArrayBuffer): Memory {
  return { words: new Int32Array(buffer), floats: new Float64Array(buffer), bytes: Buffer.from(buffer) }
}
