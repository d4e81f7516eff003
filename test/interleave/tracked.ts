import { type Memory, viewMemory } from '#src/memory/memory.js'

const NOBODY = -1

/**
 * Shared memory that knows who wrote and read which word when. A plain access must be ordered, by atomic accesses, with
 * every conflicting one of another thread: otherwise it is a race, whatever values came of it this time. A program without
 * races behaves on every processor as some order of its atomic accesses, so driving all those orders is driving everything
 * (JavaScript's memory model, "SC-DRF").
 */
export class Tracked {
  /** What the threads get. */
  readonly memory: Memory
  /** Past the books: for setting up, and for looking at the end. */
  readonly raw: Memory
  /** The thread that runs, and whether it is dead already: then nothing that it writes arrives. */
  thread = 0
  isDead = false
  /** Told of every plain write. */
  onWrite: () => void = () => undefined
  readonly #threads: number
  /** How far each thread knows the others to be. */
  #clocks: number[][]
  /** What a load of a word tells: the clock of its last atomic store. */
  #released = new Map<number, number[]>()
  readonly #writer: Int8Array
  readonly #writtenAt: Int32Array
  readonly #isAtomic: Uint8Array
  readonly #readAt: readonly Int32Array[]
  readonly #isData: Uint8Array
  /** Words that this execution has touched. */
  readonly #isTouched: Uint8Array
  readonly #touched: number[] = []

  constructor(bytes: number, threads: number) {
    const buffer = new ArrayBuffer(bytes)
    const words = bytes / 4
    this.raw = viewMemory(buffer)
    this.#threads = threads
    this.#writer = new Int8Array(words)
    this.#writtenAt = new Int32Array(words)
    this.#isAtomic = new Uint8Array(words)
    this.#isData = new Uint8Array(words)
    this.#isTouched = new Uint8Array(words)
    this.#writer.fill(NOBODY)
    this.#readAt = Array.from({ length: threads }, () => new Int32Array(words))
    this.#clocks = []
    this.memory = { words: this.#view(this.raw.words, 0), floats: this.#view(this.raw.floats, 1), bytes: this.#bytes() }
  }

  /** A new execution: all is zero, nobody has done anything. */
  reset(): void {
    for (const word of this.#touched) {
      this.raw.words[word] = this.#isTouched[word] = this.#isAtomic[word] = this.#isData[word] = 0
      this.#writer[word] = NOBODY
      for (const readAt of this.#readAt) readAt[word] = 0
    }
    this.#touched.length = 0
    this.#released.clear()
    this.#clocks = Array.from({ length: this.#threads }, (_, i) =>
      Array.from(this.#readAt, (_, j) => (i === j ? 1 : 0)),
    )
    this.isDead = false
  }

  /** A word as it is before anything happens. */
  set(word: number, value: number): void {
    this.#touch(word)
    this.raw.words[word] = value
  }

  /** All that was done so far is known to every thread. */
  startAfter(): void {
    for (const clock of this.#clocks) clock[0] = Math.max(clock[0]!, this.#clocks[0]![0]!)
    this.#clocks[0]![0]!++
  }

  /** These bytes may be read only after they were written. */
  data(offset: number, bytes: number): void {
    for (let word = offset / 4; word < (offset + bytes) / 4; word++) {
      this.#touch(word)
      this.#isData[word] = 1
    }
  }

  /** An atomic access; the checker has chosen the moment. */
  acquire(word: number): void {
    if (!Number.isInteger(word)) throw new Error(`there is no word ${word}`)
    this.#noPlainWriteOfOthers(word, 'is loaded')
    const released = this.#released.get(word)
    if (released === undefined) return
    const clock = this.#clocks[this.thread]!
    for (let i = 0; i < clock.length; i++) if (released[i]! > clock[i]!) clock[i] = released[i]!
  }

  release(word: number): void {
    this.#noPlainWriteOfOthers(word, 'is stored')
    this.#noReadOfOthers(word, 'stored')
    const clock = this.#clocks[this.thread]!
    this.#released.set(word, clock.slice())
    this.#note(word, 1)
    clock[this.thread]!++
  }

  #noPlainWriteOfOthers(word: number, what: string): void {
    const writer = this.#writer[word]!
    if (this.#isAtomic[word] === 1 || !this.#isUnknown(writer, this.#writtenAt[word]!)) return
    this.#race(word, `${what} while ${writer} writes it`)
  }

  #access(word: number, isWrite: boolean): void {
    if (isWrite) this.#write(word)
    else this.#read(word)
  }

  #read(word: number): void {
    if (this.isDead) return
    const writer = this.#writer[word]!
    if (writer === NOBODY && this.#isData[word] === 1) this.#race(word, 'is read and was never written')
    if (this.#isUnknown(writer, this.#writtenAt[word]!)) this.#race(word, `is read while ${writer} writes it`)
    this.#touch(word)
    this.#readAt[this.thread]![word] = this.#clocks[this.thread]![this.thread]!
  }

  #write(word: number): void {
    const writer = this.#writer[word]!
    if (this.#isUnknown(writer, this.#writtenAt[word]!)) this.#race(word, `is written while ${writer} writes it`)
    this.#noReadOfOthers(word, 'written')
    this.#note(word, 0)
  }

  #noReadOfOthers(word: number, what: string): void {
    for (let reader = 0; reader < this.#threads; reader++) {
      if (this.#isUnknown(reader, this.#readAt[reader]![word]!)) this.#race(word, `is ${what} while ${reader} reads it`)
    }
  }

  #touch(word: number): void {
    if (this.#isTouched[word] === 1) return
    this.#isTouched[word] = 1
    this.#touched.push(word)
  }

  #note(word: number, isAtomic: number): void {
    this.#touch(word)
    this.#writer[word] = this.thread
    this.#writtenAt[word] = this.#clocks[this.thread]![this.thread]!
    this.#isAtomic[word] = isAtomic
  }

  /** What `thread` did at that time is not known to have come before. */
  #isUnknown(thread: number, at: number): boolean {
    return thread !== NOBODY && thread !== this.thread && at > this.#clocks[this.thread]![thread]!
  }

  #race(word: number, what: string): void {
    throw new Race(`word ${word} (byte ${4 * word}) ${what}, by thread ${this.thread}`)
  }

  /** A view whose elements are words, or pairs of them. */
  #view<T extends Int32Array | Float64Array>(view: T, shift: 0 | 1): T {
    const touch = (index: number, isWrite: boolean): void => {
      for (let word = index << shift; word < (index + 1) << shift; word++) this.#access(word, isWrite)
    }
    const copy = (from: number, to: number): T => {
      for (let index = from; index < to; index++) touch(index, false)
      return view.slice(from, to) as T
    }
    return new Proxy(view, {
      get: (_, key) => {
        if (key === 'slice' || key === 'subarray') return copy
        const index = Number(key)
        if (!Number.isInteger(index)) throw new Error(`the checker knows no ${String(key)} of words`)
        touch(index, false)
        return view[index]
      },
      set: (_, key, value) => {
        if (this.isDead) return true
        touch(Number(key), true)
        view[Number(key)] = value as number
        this.onWrite()
        return true
      },
    })
  }

  #bytes(): Buffer {
    const { bytes } = this.raw
    const range = (from: number, to: number, isWrite: boolean): boolean => {
      if (isWrite && this.isDead) return false
      for (let word = from >> 2; word < (to + 3) >> 2; word++) this.#access(word, isWrite)
      if (isWrite) this.onWrite()
      return true
    }
    const known: Partial<Record<keyof Buffer, unknown>> = {
      write(text: string, at: number, room: number, encoding: 'utf8'): number {
        const length = Math.min(Buffer.byteLength(text, encoding), room)
        return range(at, at + length, true) ? bytes.write(text, at, room, encoding) : length
      },
      toString(encoding: 'utf8', from: number, to: number): string {
        range(from, to, false)
        return bytes.toString(encoding, from, to)
      },
      subarray(from: number, to: number): Buffer {
        range(from, to, false)
        return Buffer.from(bytes.subarray(from, to))
      },
      set(given: Uint8Array, at: number): void {
        if (range(at, at + given.byteLength, true)) bytes.set(given, at)
      },
      copyWithin(to: number, from: number, end: number): void {
        range(from, end, false)
        if (range(to, to + end - from, true)) bytes.copyWithin(to, from, end)
      },
    }
    return new Proxy(bytes, {
      get: (_, key) => {
        const method = known[key as keyof Buffer]
        if (method === undefined) throw new Error(`the checker knows no ${String(key)} of bytes`)
        return method
      },
    })
  }
}

export class Race extends Error {}
