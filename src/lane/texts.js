import { load, store } from '#atomics'
import { SHAPES, shapeOffset } from './layout.js'
export function laneTexts(layout) {
  return { usedWord: layout.offset / 4 + SHAPES, offset: shapeOffset(layout), bytes: layout.shapeBytes }
}
/**
 * A table of texts that one side adds and the other looks up, each a word for its length and its UTF-8 bytes. It only
 * grows, up to its bytes, and outlives both workers.
 */
export class Texts {
  #memory
  #used
  #table
  #capacity
  #texts = []
  #read = 0
  constructor(memory, layout) {
    this.#memory = memory
    this.#used = layout.usedWord
    this.#table = layout.offset
    this.#capacity = layout.bytes
  }
  /** The writer only. Returns the number of the text, from 1, or 0 where the table is full. */
  add(text) {
    const before = this.texts().length
    const length = Buffer.byteLength(text)
    const end = (this.#read + 4 + length + 3) & -4
    if (end > this.#capacity) return 0
    this.#memory.words[(this.#table + this.#read) >> 2] = length
    this.#memory.bytes.write(text, this.#table + this.#read + 4, length, 'utf8')
    // Pairs with the load in `texts`: the text is whole before it is counted, and frames that need it come later.
    store(this.#memory.words, this.#used, end)
    return this.texts().length > before ? before + 1 : 0
  }
  texts() {
    const end = load(this.#memory.words, this.#used)
    while (this.#read < end) {
      const at = this.#table + this.#read
      const length = this.#memory.words[at >> 2]
      this.#texts.push(this.#memory.bytes.toString('utf8', at + 4, at + 4 + length))
      this.#read = (this.#read + 4 + length + 3) & -4
    }
    return this.#texts
  }
}
