import { load } from '#atomics'
import { HEAD, LEFT_OUT, REASON_WORDS, RING_BYTES, type ReasonsLayout, TAIL, UNKEPT } from '../memory/reasons.ts'
import type { Memory } from '../memory/memory.ts'
import type { Journal } from './journal.ts'

export class ReasonWriter {
  readonly #words: Int32Array
  readonly #header: number
  readonly #ring: number
  readonly #capacity: number
  #tail: number
  #stagedTail: number
  #leftOut: number
  #stagedLeftOut: number

  constructor({ words }: Memory, layout: ReasonsLayout) {
    this.#words = words
    this.#header = layout.offset / 4
    this.#ring = (layout.offset + RING_BYTES) / 4
    this.#capacity = layout.words
    this.#tail = this.#stagedTail = load(words, this.#header + TAIL)
    this.#leftOut = this.#stagedLeftOut = load(words, this.#header + LEFT_OUT)
  }

  /** Says why records of these slots failed: of as many slots as there is room for. */
  put(text: Uint8Array, slots: readonly number[]): void {
    const textWords = (text.byteLength + 3) >> 2
    const head = load(this.#words, this.#header + HEAD)
    const room = this.#capacity - ((this.#tail - head) | 0) - REASON_WORDS - textWords
    const fit = Math.max(0, Math.min(slots.length, room))
    this.#leftOut = (this.#leftOut + slots.length - fit) | 0
    if (fit === 0) return
    this.#add(fit)
    this.#add(text.byteLength)
    for (let i = 0; i < fit; i++) this.#add(slots[i]!)
    for (let at = 0; at < text.byteLength; at += 4)
      this.#add(text[at]! | ((text[at + 1] ?? 0) << 8) | ((text[at + 2] ?? 0) << 16) | ((text[at + 3] ?? 0) << 24))
  }

  stage(journal: Journal): void {
    // Pairs with the load of TAIL in ReasonReader.poll: a reason is whole before it is seen.
    if (this.#tail !== this.#stagedTail) journal.set(this.#header + TAIL, this.#tail)
    if (this.#leftOut !== this.#stagedLeftOut) journal.set(this.#header + LEFT_OUT, this.#leftOut)
    this.#stagedTail = this.#tail
    this.#stagedLeftOut = this.#leftOut
  }

  #add(word: number): void {
    this.#words[this.#ring + (this.#tail & (this.#capacity - 1))] = word
    this.#tail = (this.#tail + 1) | 0
  }
}

export class ReasonReader {
  text = ''
  slots: readonly number[] = []
  readonly #words: Int32Array
  readonly #header: number
  readonly #ring: number
  readonly #capacity: number
  #head: number
  #stagedHead: number
  #unkept: number
  #stagedUnkept: number

  constructor({ words }: Memory, layout: ReasonsLayout) {
    this.#words = words
    this.#header = layout.offset / 4
    this.#ring = (layout.offset + RING_BYTES) / 4
    this.#capacity = layout.words
    this.#head = this.#stagedHead = load(words, this.#header + HEAD)
    this.#unkept = this.#stagedUnkept = load(words, this.#header + UNKEPT)
  }

  /** Takes the next reason into the fields of this object; false where there is none. Called after a look at the ack lanes (N2). */
  poll(): boolean {
    if (this.#head === load(this.#words, this.#header + TAIL)) return false
    const count = this.#take()
    const bytes = new Uint8Array(this.#take())
    const slots: number[] = []
    for (let i = 0; i < count; i++) slots.push(this.#take())
    this.slots = slots
    for (let at = 0; at < bytes.byteLength; at += 4) {
      const word = this.#take()
      for (let i = 0; i < 4 && at + i < bytes.byteLength; i++) bytes[at + i] = word >>> (8 * i)
    }
    this.text = Buffer.from(bytes).toString()
    return true
  }

  /** The reasons of so many slots could not be kept. */
  lose(slots: number): void {
    this.#unkept = (this.#unkept + slots) | 0
  }

  stage(journal: Journal): void {
    if (this.#head !== this.#stagedHead) journal.set(this.#header + HEAD, this.#head)
    if (this.#unkept !== this.#stagedUnkept) journal.set(this.#header + UNKEPT, this.#unkept)
    this.#stagedHead = this.#head
    this.#stagedUnkept = this.#unkept
  }

  #take(): number {
    const word = this.#words[this.#ring + (this.#head & (this.#capacity - 1))]!
    this.#head = (this.#head + 1) | 0
    return word
  }
}

/** Slots of whose records a reason was left out, on either side. */
export function reasonsLost({ words }: Memory, { offset }: ReasonsLayout): number {
  return (load(words, offset / 4 + LEFT_OUT) >>> 0) + (load(words, offset / 4 + UNKEPT) >>> 0)
}
