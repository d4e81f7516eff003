import { load, store } from '#atomics'
import { MillraceError } from '../errors.ts'
import { FIRST_ENTRIES, IMAGE_BYTES, type JournalLayout, MARK } from '../memory/journal.ts'
import type { Memory } from '../memory/memory.ts'

export class Journal {
  /** This worker's counters as the next hand-off will leave them. Written freely; seen by others after a hand-off. */
  readonly counters: Float64Array
  readonly #memory: Memory
  readonly #layout: JournalLayout
  readonly #mark: number
  readonly #image: number
  readonly #firsts: number
  readonly #entries: number
  readonly #counters: number
  /** Entries that fit. */
  readonly capacity: number
  #count = 0

  constructor(memory: Memory, layout: JournalLayout) {
    this.#memory = memory
    this.#layout = layout
    this.capacity = layout.entries
    this.#mark = layout.offset / 4 + MARK
    this.#image = (layout.offset + IMAGE_BYTES) / 8
    this.#firsts = (layout.offset + IMAGE_BYTES + 8 * layout.counters) / 4
    this.#entries = this.#firsts + 2 * FIRST_ENTRIES
    this.#counters = layout.countersOffset / 8
    this.counters = memory.floats.slice(this.#counters, this.#counters + layout.counters)
  }

  /** Entries that still fit. A step that could need more hands off first. */
  get room(): number {
    return this.capacity - this.#count
  }

  get isEmpty(): boolean {
    return this.#count === 0
  }

  /** Adds "this word becomes this value" to the hand-off. */
  set(word: number, value: number): void {
    if (this.#count === this.capacity)
      throw new MillraceError('INTERNAL', { what: 'a journal is full', entries: this.#count })
    const entry = this.#entries + 2 * this.#count++
    this.#memory.words[entry] = word
    this.#memory.words[entry + 1] = value
  }

  /** The same for a word that no other thread may see later than anything else of the hand-off; in `place` 0 or 1. */
  setFirst(place: 0 | 1, word: number, value: number): void {
    this.#memory.words[this.#firsts + 2 * place] = word
    this.#memory.words[this.#firsts + 2 * place + 1] = value
  }

  /** Marks, applies and clears: from here on the hand-off has happened. */
  commit(): void {
    const { words, floats } = this.#memory
    for (let i = 0; i < this.counters.length; i++) floats[this.#image + i] = this.counters[i]!
    // COMMIT: the plain stores of entries, image, frames and acks come before this store; all that `apply` stores comes
    // after it. Pairs with the load in `recover`. Gives J1 and J3.
    store(words, this.#mark, this.#count + 1)
    this.#count = 0
    apply(this.#memory, this.#layout)
  }
}

function apply(memory: Memory, layout: JournalLayout): void {
  const { words, floats } = memory
  const mark = layout.offset / 4 + MARK
  const image = (layout.offset + IMAGE_BYTES) / 8
  const firsts = (layout.offset + IMAGE_BYTES + 8 * layout.counters) / 4
  const entries = firsts + 2 * FIRST_ENTRIES
  const counters = layout.countersOffset / 8
  const count = words[mark]! - 1
  for (let i = 0; i < layout.counters; i++) floats[counters + i] = floats[image + i]!
  for (let at = firsts; at < entries; at += 2) if (words[at] !== 0) store(words, words[at]!, words[at + 1]!)
  for (let i = 0; i < count; i++) store(words, words[entries + 2 * i]!, words[entries + 2 * i + 1]!)
  store(words, mark, 0)
}

/**
 * Finishes a dead worker's hand-off, if it had marked one. Only after the thread's `exit`: a living one would apply with us.
 * @returns whether there was one to finish
 */
export function recover(memory: Memory, layout: JournalLayout): boolean {
  if (load(memory.words, layout.offset / 4 + MARK) === 0) return false
  apply(memory, layout)
  return true
}

/** For readers of the counters: changes with every hand-off that is under way, so a reader can tell a torn look. */
export function journalMark(memory: Memory, layout: JournalLayout): number {
  return load(memory.words, layout.offset / 4 + MARK)
}
