import type { Memory } from '../memory/memory.ts'
import { type Gathered, SHARED, anyBytes, readAny, writeAny } from './tagged.ts'
import { type Progress, type RowDecoder, type RowEncoder, SHORT, layOut } from './shape-compile.ts'
import { type ArrayType, type ShapeType, isArrayType, isFlat, isInt32, isObjectType } from './shape-type.ts'
import { TEXT_SLACK_BYTES, type TextReader } from './text-block.ts'

/**
 * Rows of a learned type, written and read by walking it: the same bytes as `shape-compile.ts` makes code for, for processes
 * that may not compile code from strings.
 */
export function walkingEncoder(text: string): RowEncoder {
  const row = rowOf(JSON.parse(text) as ShapeType, 0)
  return (memory, gathered, progress, values, from, to) =>
    new RowWriter(memory, gathered, progress).rows(row, values, from, to)
}

export function walkingDecoder(text: string): RowDecoder {
  const row = rowOf(JSON.parse(text) as ShapeType, 0)
  return (memory, texts, at, out, index, count) => {
    const reader = new RowReader(memory, texts)
    reader.end = at
    for (let i = 0; i < count; i++) out[index + i] = reader.row(row, reader.end)
    return reader.end
  }
}

interface Field {
  readonly type: ShapeType
  readonly depth: number
  offset: number
  /** Of an array whose elements are rows. */
  readonly item: Row | undefined
}

interface Row {
  readonly type: ShapeType
  /** All that stands in the fixed part, in the order of the type. */
  readonly fields: readonly Field[]
  readonly fixedBytes: number
}

function rowOf(type: ShapeType, depth: number): Row {
  const fields: Field[] = []
  collect(type, depth, fields)
  return { type, fields, fixedBytes: layOut(fields) }
}

function collect(type: ShapeType, depth: number, fields: Field[]): void {
  if (isObjectType(type)) {
    for (const [, field] of type.o) collect(field, depth + 1, fields)
    return
  }
  const hasRows = isArrayType(type) && (isObjectType(type.a) || isArrayType(type.a))
  fields.push({ type, depth, offset: 0, item: hasRows ? rowOf(type.a, depth + 1) : undefined })
}

/** What a field holds where the value fits its type; arrays with the length that counts. */
interface Taken {
  readonly value: unknown
  readonly length: number
}

const FITS = 0
const MISFIT = 1
const NO_ROOM = 2

class RowWriter {
  readonly #memory: Memory
  readonly #gathered: Gathered
  readonly #progress: Progress
  readonly #limit: number
  #end = 0

  constructor(memory: Memory, gathered: Gathered, progress: Progress) {
    this.#memory = memory
    this.#gathered = gathered
    this.#progress = progress
    this.#limit = progress.limit - TEXT_SLACK_BYTES
  }

  rows(row: Row, values: ArrayLike<unknown>, from: number, to: number): number {
    const gathered = this.#gathered
    const progress = this.#progress
    progress.isFull = false
    let index = from
    for (; index < to; index++) {
      const { text, chars } = gathered
      gathered.met.clear()
      const how = this.#try(row, values, index)
      if (how !== FITS) {
        Object.assign(gathered, { text, chars })
        progress.isFull = how === NO_ROOM
        break
      }
      progress.at = this.#end
    }
    gathered.met.clear()
    return index
  }

  #try(row: Row, values: ArrayLike<unknown>, index: number): number {
    try {
      return this.#row(row, values[index], this.#progress.at)
    } catch {
      // A getter threw: whoever reads the value to encode it tagged says so.
      return MISFIT
    }
  }

  #row(row: Row, value: unknown, at: number): number {
    const taken: Taken[] = []
    if (!take(row.type, value, taken)) return MISFIT
    const gathered = this.#gathered
    const { fields, fixedBytes } = row
    fields.forEach(({ type }, i) => (gathered.chars += type === 's' ? taken[i]!.length : 0))
    if (this.#isBeyond(at + fixedBytes)) return NO_ROOM
    fields.forEach(({ type, offset }, i) => this.#store(type, taken[i]!, at + offset))
    fields.forEach(({ type }, i) => (gathered.text += type === 's' ? (taken[i]!.value as string) : ''))
    this.#end = at + fixedBytes
    for (let i = 0; i < fields.length; i++) {
      const how = this.#tail(fields[i]!, taken[i]!)
      if (how !== FITS) return how
    }
    return FITS
  }

  #isBeyond(end: number): boolean {
    return end + this.#gathered.chars * this.#gathered.charBytes > this.#limit
  }

  #store(type: ShapeType, { value, length }: Taken, at: number): void {
    const { words, floats } = this.#memory
    if (type === 'f') floats[at >> 3] = value as number
    else if (type === 'd') floats[at >> 3] = (value as Date).getTime()
    else if (type === 'i') words[at >> 2] = value as number
    else if (type === 'b') words[at >> 2] = value === true ? 1 : 0
    else if (type !== '?') words[at >> 2] = length
  }

  #tail({ type, depth, item }: Field, { value, length }: Taken): number {
    if (type === '?') {
      const end = writeAny(this.#memory, this.#gathered, value, this.#end, this.#progress.limit, depth)
      if (end < 0) return end === SHARED ? MISFIT : NO_ROOM
      this.#end = end
      return FITS
    }
    return isArrayType(type) ? this.#elements(type, item, value as readonly unknown[], length) : FITS
  }

  #elements({ a }: ArrayType, item: Row | undefined, values: readonly unknown[], length: number): number {
    if (a === '0') return length === 0 ? FITS : MISFIT
    if ((!isFlat(a) || length > SHORT) && !this.#gathered.met.add(values)) return MISFIT
    if (item === undefined) return this.#scalars(a, values, length)
    for (let i = 0; i < length; i++) {
      const how = this.#row(item, values[i], this.#end)
      if (how !== FITS) return how
    }
    return FITS
  }

  #scalars(type: ShapeType, values: readonly unknown[], length: number): number {
    const size = sizeOf(type)
    if (this.#isBeyond(this.#end + size * length)) return NO_ROOM
    for (let i = 0; i < length; i++) {
      const taken: Taken[] = []
      if (!take(type, values[i], taken)) return MISFIT
      this.#store(type, taken[0]!, this.#end + size * i)
      if (type !== 's') continue
      this.#gathered.chars += taken[0]!.length
      this.#gathered.text += taken[0]!.value as string
    }
    this.#end = (this.#end + size * length + 7) & -8
    return this.#isBeyond(this.#end) ? NO_ROOM : FITS
  }
}

/** Takes a value apart into the fields of its type; false where it does not fit. */
function take(type: ShapeType, value: unknown, taken: Taken[]): boolean {
  if (!isObjectType(type)) return takeLeaf(type, value, taken)
  if (typeof value !== 'object' || value === null) return false
  const values = type.o.map(([key]): unknown => Reflect.get(value, key))
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  let count = 0
  for (const key in value) if (key !== type.o[count++]?.[0]) return false
  return count === values.length && type.o.every(([, field], i) => take(field, values[i], taken))
}

function takeLeaf(type: ShapeType, value: unknown, taken: Taken[]): boolean {
  let length = 0
  if (isArrayType(type)) {
    if (!Array.isArray(value)) return false
    length = value.length
    if (Object.keys(value).length !== length) return false
  } else if (!holds(type, value)) return false
  else if (typeof value === 'string') length = value.length
  taken.push({ value, length })
  return true
}

function holds(type: ShapeType, value: unknown): boolean {
  if (type === 'i') return typeof value === 'number' && isInt32(value)
  if (type === 'f') return typeof value === 'number'
  if (type === 'b') return typeof value === 'boolean'
  if (type === 's') return typeof value === 'string'
  return type === 'd' ? value instanceof Date : true
}

function sizeOf(type: ShapeType): number {
  return type === 'f' || type === 'd' ? 8 : 4
}

class RowReader {
  /** Offset after the last row. */
  end = 0
  readonly #memory: Memory
  readonly #text: TextReader

  constructor(memory: Memory, text: TextReader) {
    this.#memory = memory
    this.#text = text
  }

  row({ type, fields, fixedBytes }: Row, at: number): unknown {
    const strings = fields.map((field) => (field.type === 's' ? this.#scalar('s', at + field.offset) : undefined))
    this.end = at + fixedBytes
    const values = fields.map((field, i) => (field.type === 's' ? strings[i] : this.#field(field, at + field.offset)))
    return put(type, values.values())
  }

  #field({ type, item }: Field, at: number): unknown {
    if (type === '?') {
      const value = readAny(this.#memory, this.#text, this.end)
      this.end += anyBytes(this.#memory, this.end)
      return value
    }
    return isArrayType(type) ? this.#elements(type, item, this.#memory.words[at >> 2]!) : this.#scalar(type, at)
  }

  #elements({ a }: ArrayType, item: Row | undefined, length: number): unknown[] {
    const values = new Array<unknown>(length)
    if (a === '0') return values
    if (item !== undefined) {
      for (let i = 0; i < length; i++) values[i] = this.row(item, this.end)
      return values
    }
    const size = sizeOf(a)
    for (let i = 0; i < length; i++) values[i] = this.#scalar(a, this.end + size * i)
    this.end = (this.end + size * length + 7) & -8
    return values
  }

  #scalar(type: ShapeType, at: number): unknown {
    const { words, floats } = this.#memory
    if (type === 's') return this.#text.take(words[at >> 2]!)
    if (type === 'f') return floats[at >> 3]
    if (type === 'd') return new Date(floats[at >> 3]!)
    return type === 'b' ? words[at >> 2] === 1 : words[at >> 2]
  }
}

/** Puts a value together from the fields of its type. */
function put(type: ShapeType, fields: Iterator<unknown>): unknown {
  if (!isObjectType(type)) return fields.next().value
  const value = {}
  for (const [key, field] of type.o) {
    const item = put(field, fields)
    // An assignment to `__proto__` would set the prototype.
    Object.defineProperty(value, key, { value: item, enumerable: true, writable: true, configurable: true })
  }
  return value
}
