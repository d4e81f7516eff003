import type { Memory } from '../memory/memory.ts'
import { type Gathered, anyBytes, readAny, writeAny } from './tagged.ts'
import type { Codec, Decoder, Encoder, ShapeTable } from './codec.ts'
import { type Compiled, compiledOf } from './compiled.ts'
import { Identities } from './identity.ts'
import { Learner } from './learner.ts'
import type { Progress, RowDecoder, RowEncoder } from './shape-compile.ts'
import { LATIN1, TextReader, writeText, written } from './text-block.ts'

/**
 * The default codec. Its encoder learns the shapes of the objects that it sees, teaches them to the decoder through the
 * lane's table, and writes rows; what fits no shape goes as a tagged value. A block is:
 *
 *     0   offset of the text, from the block's start     4   mode of the text (see `text-block.ts`)
 *     8   runs: a word for the shape (0: tagged values), a word for the count, then so many rows
 *     …   the text
 */
export const shapeCodec: Codec = {
  encoder: (table) => new ShapeEncoder(table),
  decoder: (table) => new ShapeDecoder(table),
}

const BLOCK_HEADER_BYTES = 8
const RUN_HEADER_BYTES = 8
const TAGGED = 0
const NEEDS_UTF16 = -1

/** Shapes that are tried before the signature of a value is worked out: streams mix a few kinds of records. */
const RECENT = 4
/** Decoders that are found without a look at the table. Numbers are never given twice, so none of them is wrong. */
const MAX_DECODERS = 256
/** A block in so many tries plain text again after it met text that needs UTF-16. */
const TRY_NARROW_EVERY = 64

interface Shape {
  readonly number: number
  readonly encode: RowEncoder
}

class ShapeEncoder implements Encoder {
  end = 0
  readonly #learner: Learner
  readonly #compiled: Compiled
  /** The shapes met last, the very last one first. */
  readonly #recent: Shape[] = []
  readonly #gathered: Gathered = { text: '', chars: 0, charBytes: 1, refusal: undefined, met: new Identities() }
  readonly #progress: Progress = { at: 0, limit: 0, isFull: false }
  #wideBlocks = 0

  constructor(table: ShapeTable) {
    this.#learner = new Learner(table)
    this.#compiled = compiledOf(table.owner)
  }

  encode(memory: Memory, values: ArrayLike<unknown>, from: number, to: number, at: number, limit: number): number {
    if (this.#wideBlocks > 0) this.#wideBlocks--
    // A block names shapes of one generation of the table.
    if (this.#learner.makeRoom()) this.#recent.length = 0
    let encoded = this.#block(memory, values, from, to, at, limit, this.#wideBlocks > 0 ? 2 : 1)
    if (encoded === NEEDS_UTF16) {
      this.#wideBlocks = TRY_NARROW_EVERY
      encoded = this.#block(memory, values, from, to, at, limit, 2)
    }
    if (encoded === 0 && this.#gathered.refusal !== undefined) throw this.#gathered.refusal
    return encoded
  }

  /** @returns how many values were encoded, or NEEDS_UTF16 where the text needs two bytes a character and has no room */
  #block(
    memory: Memory,
    values: ArrayLike<unknown>,
    from: number,
    to: number,
    at: number,
    limit: number,
    charBytes: number,
  ): number {
    const gathered = this.#gathered
    const progress = this.#progress
    gathered.text = ''
    gathered.chars = 0
    gathered.charBytes = charBytes
    gathered.refusal = undefined
    progress.at = at + BLOCK_HEADER_BYTES
    progress.limit = limit
    const next = this.#runs(memory, values, from, to)
    if (next === from) return 0
    const { words } = memory
    words[at >> 2] = progress.at - at
    words[(at >> 2) + 1] = LATIN1
    this.end = progress.at
    if (gathered.text.length > 0) {
      if (!writeText(memory, gathered.text, progress.at, limit)) return NEEDS_UTF16
      words[(at >> 2) + 1] = written.mode
      this.end = written.end
    }
    return next - from
  }

  #runs(memory: Memory, values: ArrayLike<unknown>, from: number, to: number): number {
    const progress = this.#progress
    let next = from
    while (next < to) {
      const run = progress.at
      if (run + RUN_HEADER_BYTES > progress.limit) break
      progress.at = run + RUN_HEADER_BYTES
      const first = next
      const shape = this.#encodeRun(memory, values, next, to)
      next = this.#next
      if (next === first) {
        progress.at = run
        break
      }
      memory.words[run >> 2] = shape
      memory.words[(run >> 2) + 1] = next - first
      if (progress.isFull) break
    }
    return next
  }

  /** Index after the values of the last run. */
  #next = 0

  /** Encodes as many values as one shape takes; returns its number. */
  #encodeRun(memory: Memory, values: ArrayLike<unknown>, from: number, to: number): number {
    const progress = this.#progress
    const start = progress.at
    for (let i = 0; i < this.#recent.length; i++) {
      const shape = this.#recent[i]!
      progress.at = start
      this.#next = shape.encode(memory, this.#gathered, progress, values, from, to)
      if (this.#next === from && !progress.isFull) continue
      if (i > 0) this.#remember(shape)
      return shape.number
    }
    progress.at = start
    const shape = this.#shapeFor(values[from])
    if (shape !== undefined) {
      this.#next = shape.encode(memory, this.#gathered, progress, values, from, to)
      if (this.#next > from || progress.isFull) return shape.number
      progress.at = start
    }
    this.#encodeTagged(memory, values, from)
    return TAGGED
  }

  #encodeTagged(memory: Memory, values: ArrayLike<unknown>, index: number): void {
    const progress = this.#progress
    progress.isFull = false
    this.#next = index
    const at = writeAny(memory, this.#gathered, values[index], progress.at, progress.limit, 0)
    if (at < 0) {
      progress.isFull = true
      return
    }
    progress.at = at
    this.#next = index + 1
  }

  /** The shape of a value that no recent shape took. */
  #shapeFor(value: unknown): Shape | undefined {
    const learned = this.#learner.look(value)
    if (learned === undefined) return undefined
    const shape = { number: learned.number, encode: this.#compiled.encoders.get(learned.text) }
    this.#remember(shape)
    return shape
  }

  /** Puts a shape before the others that are tried. */
  #remember(shape: Shape): void {
    const at = this.#recent.findIndex((each) => each.number === shape.number)
    if (at >= 0) this.#recent.splice(at, 1)
    this.#recent.unshift(shape)
    if (this.#recent.length > RECENT) this.#recent.length = RECENT
  }
}

class ShapeDecoder implements Decoder {
  readonly #table: ShapeTable
  readonly #compiled: Compiled
  /** By number; emptied when it holds more than a table does. */
  readonly #decoders = new Map<number, RowDecoder>()
  #text: TextReader | undefined

  constructor(table: ShapeTable) {
    this.#table = table
    this.#compiled = compiledOf(table.owner)
  }

  decode(memory: Memory, at: number, end: number, count: number, out: unknown[]): void {
    const { words } = memory
    const text = (this.#text ??= new TextReader(memory.bytes))
    text.open(memory.bytes, at + words[at >> 2]!, end, words[(at >> 2) + 1]!)
    let next = at + BLOCK_HEADER_BYTES
    for (let index = 0; index < count;) {
      const shape = words[next >> 2]!
      const rows = words[(next >> 2) + 1]!
      next += RUN_HEADER_BYTES
      if (shape === TAGGED) {
        for (let i = 0; i < rows; i++) {
          out[index + i] = readAny(memory, text, next)
          next += anyBytes(memory, next)
        }
      } else {
        next = this.#decoder(shape)(memory, text, next, out, index, rows)
      }
      index += rows
    }
  }

  #decoder(number: number): RowDecoder {
    const known = this.#decoders.get(number)
    if (known !== undefined) return known
    if (this.#decoders.size >= MAX_DECODERS) this.#decoders.clear()
    const decoder = this.#compiled.decoders.get(this.#table.text(number))
    this.#decoders.set(number, decoder)
    return decoder
  }
}
