import { MillraceError, inWords } from '../errors.ts'
import type { BorrowedBytesCodec, StructCodec, StructType } from '../graph/types.ts'
import type { Memory } from '../memory/memory.ts'
import type { Codec, Decoder, Encoder } from './codec.ts'
import { asRefusal } from './refusal.ts'
import { type StructLayout, type StructView, STRUCT_SIZE, holds, structLayout, structView } from './struct-view.ts'

/**
 * Declared fixed layouts: records are plain numbers (or booleans), or objects with exactly the declared fields. Records of
 * one type lie one after the other without headers; fields of 8 bytes come first in each.
 *
 * A value that its type does not hold exactly is refused: nothing is rounded.
 */
export function structCodec({ struct, view = false }: StructCodec): Codec {
  if (typeof struct === 'string') {
    const decoder = (): Decoder => (struct === 'bool' ? new ScalarDecoder(struct) : new NumberDecoder(struct))
    return { encoder: () => new ScalarEncoder(struct), decoder }
  }
  const layout = structLayout(struct)
  return {
    encoder: () => new StructEncoder(layout),
    decoder: () => (view ? new ViewDecoder(layout) : new StructDecoder(layout)),
  }
}

/** The arrays in which plain numbers are lent, by the type of the edge. */
export const NUMBERS = { i32: Int32Array, u32: Uint32Array, f64: Float64Array } as const
export type NumbersType = (typeof NUMBERS)[keyof typeof NUMBERS]
export type Numbers = InstanceType<NumbersType>

/** The arrays in which an edge lends its records to handlers of batches, if it does. */
export function numbersOf(codec: StructCodec | BorrowedBytesCodec): NumbersType | undefined {
  if (!('struct' in codec) || typeof codec.struct !== 'string' || codec.view !== true) return undefined
  return codec.struct === 'bool' ? undefined : NUMBERS[codec.struct]
}

export function areNumbers(value: unknown): value is Numbers {
  return value instanceof Int32Array || value instanceof Float64Array || value instanceof Uint32Array
}

function refusal(detail: Record<string, unknown>): MillraceError {
  return new MillraceError('RECORD_NOT_ENCODABLE', { codec: 'struct', ...detail })
}

class ScalarEncoder implements Encoder {
  end = 0
  readonly #type: StructType

  constructor(type: StructType) {
    this.#type = type
  }

  encode(memory: Memory, values: ArrayLike<unknown>, from: number, to: number, at: number, limit: number): number {
    const type = this.#type
    const last = Math.min(to, from + Math.floor((limit - at) / STRUCT_SIZE[type]))
    const next = this.#encode(memory, values, from, last, at)
    if (next === from && next < last) throw refusal({ reason: `${type} does not hold ${inWords(values[from])}` })
    this.end = at + (next - from) * STRUCT_SIZE[type]
    return next - from
  }

  #encode(memory: Memory, values: ArrayLike<unknown>, from: number, to: number, at: number): number {
    const type = this.#type
    const { words, floats } = memory
    // What is lent by one edge and goes on by another: no number needs a look.
    if (type === 'i32' && values instanceof Int32Array) {
      words.set(values.subarray(from, to), at >> 2)
      return to
    }
    if (type === 'f64' && values instanceof Float64Array) {
      floats.set(values.subarray(from, to), at >> 3)
      return to
    }
    if (type === 'i32') return encodeInt32s(memory, values, from, to, at)
    let index = from
    for (; index < to && holds(type, values[index]); index++) {
      if (type === 'f64') floats[(at >> 3) + index - from] = values[index] as number
      else words[(at >> 2) + index - from] = Number(values[index])
    }
    return index
  }
}

/** The common case, as tight as it can be. */
function encodeInt32s({ words }: Memory, values: ArrayLike<unknown>, from: number, to: number, at: number): number {
  const base = (at >> 2) - from
  let index = from
  for (; index < to; index++) {
    const value = values[index]
    if (typeof value !== 'number' || (value | 0) !== value || (value === 0 && 1 / value < 0)) break
    words[base + index] = value
  }
  return index
}

class ScalarDecoder implements Decoder {
  readonly #type: StructType

  constructor(type: StructType) {
    this.#type = type
  }

  decode({ words, floats }: Memory, at: number, _end: number, count: number, out: unknown[]): void {
    const word = at >> 2
    if (this.#type === 'i32') for (let i = 0; i < count; i++) out[i] = words[word + i]
    else if (this.#type === 'u32') for (let i = 0; i < count; i++) out[i] = words[word + i]! >>> 0
    else if (this.#type === 'bool') for (let i = 0; i < count; i++) out[i] = words[word + i] === 1
    else for (let i = 0; i < count; i++) out[i] = floats[(at >> 3) + i]
  }
}

/** Numbers that lie in memory as JavaScript's own arrays of numbers have them. */
class NumberDecoder extends ScalarDecoder {
  readonly #Numbers: NumbersType

  constructor(type: keyof typeof NUMBERS) {
    super(type)
    this.#Numbers = NUMBERS[type]
  }

  inPlace({ words }: Memory, at: number, count: number): Numbers {
    return new this.#Numbers(words.buffer as ArrayBuffer, at, count)
  }
}

class StructEncoder implements Encoder {
  end = 0
  readonly #layout: StructLayout
  readonly #view: StructView

  constructor(layout: StructLayout) {
    this.#layout = layout
    this.#view = new (structView(layout))()
  }

  encode(memory: Memory, values: ArrayLike<unknown>, from: number, to: number, at: number, limit: number): number {
    const { stride } = this.#layout
    const last = Math.min(to, from + Math.floor((limit - at) / stride))
    const view = this.#view
    let index = from
    try {
      for (; index < last && view.put(memory, at + (index - from) * stride, values[index]); index++);
      if (index === from && index < last) throw this.#refusal(values[from])
    } catch (error) {
      if (index === from) throw asRefusal(error)
    }
    this.end = at + (index - from) * stride
    return index - from
  }

  #refusal(value: unknown): MillraceError {
    if (typeof value !== 'object' || value === null) return refusal({ reason: `${inWords(value)} is not an object` })
    const { fields } = this.#layout
    for (const key in value)
      if (!fields.some(({ name }) => name === key)) return refusal({ reason: `it has no field ${key}` })
    const field = fields.find(({ name, type }) => !holds(type, Reflect.get(value, name)))!
    return refusal({
      field: field.name,
      reason: `${field.type} does not hold ${inWords(Reflect.get(value, field.name))}`,
    })
  }
}

class StructDecoder implements Decoder {
  readonly #stride: number
  readonly #view: StructView

  constructor(layout: StructLayout) {
    this.#stride = layout.stride
    this.#view = new (structView(layout))()
  }

  decode(memory: Memory, at: number, _end: number, count: number, out: unknown[]): void {
    const view = this.#view
    for (let index = 0; index < count; index++) {
      view.moveTo(memory, at + index * this.#stride)
      out[index] = view.toObject()
    }
  }
}

class ViewDecoder implements Decoder {
  readonly #stride: number
  readonly #View: new () => StructView
  readonly #views: StructView[] = []

  constructor(layout: StructLayout) {
    this.#stride = layout.stride
    this.#View = structView(layout)
  }

  decode(memory: Memory, at: number, _end: number, count: number, out: unknown[]): void {
    while (this.#views.length < count) this.#views.push(new this.#View())
    for (let index = 0; index < count; index++) {
      const view = this.#views[index]!
      view.moveTo(memory, at + index * this.#stride)
      out[index] = view
    }
  }
}
