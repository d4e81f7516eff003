import { load, store } from '#atomics'
import type { Memory } from '../memory/memory.ts'
import { GENERATIONS, TEXT_NUMBERS, type TextsLayout } from '../memory/texts.ts'

/**
 * A table of texts that one side adds and the other looks up, each a word for its length and its UTF-8 bytes. It outlives both
 * workers.
 *
 * It has two halves, of which one is written at a time. When that one is full, the writer may start the other one anew: a new
 * generation, whose number is odd in the second half. So texts that are not used any more make room, and all numbers stay
 * readable that a frame may name.
 *
 * Invariants (test/lane/texts.test.ts, test/codec/shape-table.test.ts):
 *   X1  a frame names texts of the generation in which it was written only, and they are whole before it is visible
 *   X2  a half is started anew only when HEAD has gone a whole ring past where it stood when the half was left: no frame
 *       between HEAD and TAIL names a text in it. (A frame ends, when it is written, less than a ring past HEAD.)
 *   X3  a number stands for one text for as long as anything may name it: generations count up
 *   X4  the word USED (generation, words used) is stored by the writer only, with one store; bytes behind it mean nothing
 */
export class Texts {
  /** See `ShapeTable`. */
  readonly owner: object
  /** The longest text that a half holds. */
  readonly maxTextBytes: number
  readonly #memory: Memory
  readonly #used: number
  readonly #table: number
  readonly #halfWords: number
  readonly #isUnread: (leftAt: number) => boolean
  readonly #ring: TextsLayout['ring']
  /** The writer's: numbers of the texts of this generation. */
  #numbers: Map<string, number> | undefined
  #generation = 0
  #next = 0
  /** HEAD, when the other half was left. */
  #leftAt = 0

  /** @param isUnread whether nothing that names a text is anywhere, for tables without a ring */
  constructor(memory: Memory, layout: TextsLayout, isUnread?: () => boolean) {
    this.owner = memory
    this.#memory = memory
    this.#used = layout.usedWord
    this.#table = layout.offset / 4
    this.#halfWords = (layout.bytes >> 3) & -2
    this.maxTextBytes = 4 * (this.#halfWords - 1)
    this.#ring = layout.ring
    this.#isUnread = isUnread ?? ((leftAt) => (this.#ringHead() - leftAt) >>> 0 >= layout.ring!.bytes)
  }

  /** The writer only. The texts of this generation, oldest first. */
  texts(): readonly string[] {
    return [...this.#ofGeneration().keys()]
  }

  /** The writer only. The number of a text, which is added where it is not there; 0 where the half is full. */
  numberOf(text: string): number {
    const numbers = this.#ofGeneration()
    const known = numbers.get(text)
    if (known !== undefined) return known
    const length = Buffer.byteLength(text)
    const end = this.#next + 1 + ((length + 3) >> 2)
    if (end > this.#halfWords) return 0
    const at = this.#half(this.#generation) + this.#next
    this.#memory.words[at] = length
    this.#memory.bytes.write(text, 4 * (at + 1), length, 'utf8')
    const number = this.#generation * TEXT_NUMBERS + this.#next + 1
    numbers.set(text, number)
    this.#next = end
    store(this.#memory.words, this.#used, this.#generation * TEXT_NUMBERS + end)
    return number
  }

  /** The writer only. Starts the other half anew; false while a frame may name a text in it. */
  restart(): boolean {
    this.#ofGeneration()
    if (!this.#isUnread(this.#leftAt)) return false
    this.#leftAt = this.#ringHead()
    // Halves take turns, also where the generations start over; the very first one does not come again.
    this.#generation = this.#generation + 1 < GENERATIONS ? this.#generation + 1 : 2
    this.#next = 0
    this.#numbers = new Map()
    store(this.#memory.words, this.#used, this.#generation * TEXT_NUMBERS)
    return true
  }

  /** The reader: a text that a frame names which is not released. X1: it was whole before the frame was visible. */
  text(number: number): string {
    const at = this.#half(Math.floor(number / TEXT_NUMBERS)) + (number % TEXT_NUMBERS) - 1
    const from = 4 * (at + 1)
    return this.#memory.bytes.toString('utf8', from, from + this.#memory.words[at]!)
  }

  #half(generation: number): number {
    return this.#table + (generation & 1) * this.#halfWords
  }

  #ringHead(): number {
    return this.#ring === undefined ? 0 : load(this.#memory.words, this.#ring.headWord)
  }

  /** The texts of the generation that the word tells of: those of an earlier life, at the first look. */
  #ofGeneration(): Map<string, number> {
    if (this.#numbers !== undefined) return this.#numbers
    const used = load(this.#memory.words, this.#used)
    const numbers = (this.#numbers = new Map<string, number>())
    this.#generation = Math.floor(used / TEXT_NUMBERS)
    // A successor does not know when its predecessor left the other half: it may have been now.
    this.#leftAt = this.#ringHead()
    while (this.#next < used % TEXT_NUMBERS) {
      const number = this.#generation * TEXT_NUMBERS + this.#next + 1
      numbers.set(this.text(number), number)
      this.#next += 1 + ((this.#memory.words[this.#half(this.#generation) + this.#next]! + 3) >> 2)
    }
    return numbers
  }
}
