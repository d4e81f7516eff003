import type { Memory } from '../memory/memory.ts'

/**
 * The text of a chunk: all its strings, one after the other, written by one call and read in windows. A call into the
 * engine's own code costs more than most strings, so it is paid per chunk, not per string (docs/performance.md).
 */
export const LATIN1 = 0
export const UTF16 = 1

/** Most characters of one window: the memory that a short string can keep alive. Longer strings are read alone. */
const WINDOW_CHARS = 1024
/** What `writeText` needs beyond one byte a character, to tell ASCII from text that was cut. */
export const TEXT_SLACK_BYTES = 4

/** Set by `writeText`. */
export const written: { end: number; mode: number } = { end: 0, mode: LATIN1 }

/**
 * Writes `text` at `at`: a byte a character where all are Latin-1, else UTF-16.
 * @returns false where UTF-16 is needed and does not fit before `limit`; there are at least `text.length + 4` bytes
 */
export function writeText({ bytes }: Memory, text: string, at: number, limit: number): boolean {
  written.end = at + text.length
  written.mode = LATIN1
  // UTF-8 of ASCII is the text itself; of anything else it is longer.
  if (bytes.write(text, at, limit - at, 'utf8') === text.length) return true
  if (/^[\0-\xff]*$/.test(text)) {
    bytes.write(text, at, text.length, 'latin1')
    return true
  }
  if (at + 2 * text.length > limit) return false
  written.end = at + bytes.write(text, at, 2 * text.length, 'utf16le')
  written.mode = UTF16
  return true
}

/** Takes strings from a chunk's text, in the order in which they were written. */
export class TextReader {
  #bytes: Buffer
  #at = 0
  #end = 0
  #mode = LATIN1
  #window = ''
  #start = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  open(bytes: Buffer, at: number, end: number, mode: number): void {
    this.#bytes = bytes
    this.#at = at
    this.#end = end
    this.#mode = mode
    this.#window = ''
    this.#start = 0
  }

  take(length: number): string {
    const start = this.#start
    if (start + length > this.#window.length) return this.#refill(length)
    this.#start = start + length
    return this.#window.substring(start, start + length)
  }

  #refill(length: number): string {
    const charBytes = this.#mode === UTF16 ? 2 : 1
    this.#at += this.#start * charBytes
    this.#start = 0
    this.#window = ''
    if (length > WINDOW_CHARS) {
      const text = this.#slice(length * charBytes)
      this.#at += length * charBytes
      return text
    }
    this.#window = this.#slice(WINDOW_CHARS * charBytes)
    this.#start = length
    return this.#window.substring(0, length)
  }

  #slice(bytes: number): string {
    const end = Math.min(this.#at + bytes, this.#end)
    return this.#bytes.toString(this.#mode === UTF16 ? 'utf16le' : 'latin1', this.#at, end)
  }
}
