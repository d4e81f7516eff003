/** Distance of words that different threads write, in bytes: two cache lines, because processors fetch lines in pairs. */
export const LINE_BYTES = 128
export function viewMemory(buffer) {
  return { words: new Int32Array(buffer), floats: new Float64Array(buffer), bytes: Buffer.from(buffer) }
}
