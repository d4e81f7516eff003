import type { ShapeTable } from './codec.ts'
import {
  type ShapeType,
  isObjectType,
  isTooLarge,
  loosest,
  signatureOf,
  signatureOfType,
  typeOf,
  widen,
} from './shape-type.ts'

/** A value that is so many of one signature is the first to go as a row: what comes once or twice is not worth a shape. */
const LEARNED_AT = 3
/** Types that one signature may take; the last one takes whatever has its keys. */
const MAX_VARIANTS = 8
/** Signatures that are counted: the last ones, and at most as many before them. Dictionaries would fill any number. */
const MAX_SIGNATURES = 256
/** Values that are not looked at after one that was of no use, at most: a stream of foreign values is not studied. */
const MAX_REST = 64
/** Looks that found the table full before it starts over. */
const RESTART_AFTER = 16

/** What is known of the values with one signature. */
interface Sighted {
  type: ShapeType
  sights: number
  variants: number
  /** Of `type`; empty until it is learned. */
  text: string
}

/** A shape that stands in the table. */
export interface LearnedShape {
  readonly number: number
  readonly text: string
}

/** Watches values until they have shown a shape, and puts that into the table: once a shape is common, not before. */
export class Learner {
  readonly #table: ShapeTable
  #sighted = new Map<string, Sighted>()
  #sightedBefore = new Map<string, Sighted>()
  /** Values that are not looked at yet, and how many they may be after a look. */
  #rest = 0
  #lastRest = 0
  #drawn = 1
  /** Looks since the last restart that found no room in the table for what they learned. */
  #crowdedOut = 0

  constructor(table: ShapeTable) {
    this.#table = table
    for (const text of table.texts()) this.#takeUp(text)
  }

  /** The shape of a value: one that is known, or one that is learned now. */
  look(value: unknown): LearnedShape | undefined {
    if (this.#rest > 0) {
      this.#rest--
      return undefined
    }
    try {
      return this.#look(value)
    } catch {
      // A getter threw: whoever reads the value to encode it says so.
      return this.#inVain()
    }
  }

  /**
   * Between blocks: rare shapes make room where others were crowded out. Those in use come back into the table by themselves.
   * @returns whether all numbers so far are void
   */
  makeRoom(): boolean {
    if (this.#crowdedOut < RESTART_AFTER || !this.#table.restart()) return false
    this.#crowdedOut = this.#rest = this.#lastRest = 0
    return true
  }

  /** A text that an earlier life of this worker added: later ones are wider. */
  #takeUp(text: string): void {
    const type = JSON.parse(text) as ShapeType
    this.#sighted.set(signatureOfType(type), { type, sights: LEARNED_AT, variants: 0, text })
  }

  #look(value: unknown): LearnedShape | undefined {
    const signature = signatureOf(value)
    const type = signature === undefined ? '?' : typeOf(value)
    if (signature === undefined || type === '?') return this.#inVain()
    const sighted = this.#sight(signature)
    if (sighted === undefined) {
      this.#sighted.set(signature, { type, sights: 1, variants: 0, text: '' })
      return this.#inVain()
    }
    return this.#learn(sighted, type)
  }

  /** What is known of a signature. Those that were not seen for longest are forgotten. */
  #sight(signature: string): Sighted | undefined {
    const young = this.#sighted.get(signature)
    if (young !== undefined) return young
    if (this.#sighted.size >= MAX_SIGNATURES) {
      this.#sightedBefore = this.#sighted
      this.#sighted = new Map()
    }
    const old = this.#sightedBefore.get(signature)
    if (old !== undefined) this.#sighted.set(signature, old)
    return old
  }

  #learn(sighted: Sighted, type: ShapeType): LearnedShape | undefined {
    const widened = widen(sighted.type, type)
    if (widened === '?' || isTooLarge(widened)) return this.#inVain()
    if (widened !== sighted.type) this.#widen(sighted, widened)
    if (++sighted.sights < LEARNED_AT) {
      this.#lastRest = 0
      return undefined
    }
    const text = sighted.text === '' ? JSON.stringify(sighted.type) : sighted.text
    if (Buffer.byteLength(text) > this.#table.maxTextBytes) return this.#inVain()
    sighted.text = text
    const number = this.#table.numberOf(text)
    if (number === 0) {
      this.#crowdedOut++
      this.#lastRest = MAX_REST
      return this.#inVain()
    }
    this.#lastRest = 0
    return { number, text }
  }

  #widen(sighted: Sighted, type: ShapeType): void {
    if (sighted.text !== '') sighted.variants++
    sighted.type = sighted.variants >= MAX_VARIANTS && isObjectType(type) ? loosest(type) : type
    sighted.text = ''
  }

  /**
   * The more looks in a row are of no use, the fewer values are looked at. Which ones is drawn: of a stream in which two kinds
   * take turns, steady steps would see one kind only.
   */
  #inVain(): undefined {
    this.#lastRest = Math.min(2 * this.#lastRest + 2, MAX_REST)
    this.#drawn = (Math.imul(this.#drawn, 1_103_515_245) + 12_345) | 0
    const half = this.#lastRest >> 1
    this.#rest = half + ((this.#drawn >>> 16) % (half + 1))
  }
}
