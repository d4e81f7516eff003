import { MillraceError } from '../errors.js'
import { STRUCT_SIZE, holds, structLayout, structView } from './struct-view.js'
/**
 * Declared fixed layouts: records are plain numbers (or booleans), or objects with exactly the declared fields. Records of
 * one type lie one after the other without headers; fields of 8 bytes come first in each.
 *
 * A value that its type does not hold exactly is refused: nothing is rounded.
 */
export function structCodec({ struct, view = false }) {
  if (typeof struct === 'string') {
    return { encoder: () => new ScalarEncoder(struct), decoder: () => new ScalarDecoder(struct) }
  }
  const layout = structLayout(struct)
  return {
    encoder: () => new StructEncoder(layout),
    decoder: () => (view ? new ViewDecoder(layout) : new StructDecoder(layout)),
  }
}
function refusal(detail) {
  return new MillraceError('RECORD_NOT_ENCODABLE', { codec: 'struct', ...detail })
}
class ScalarEncoder {
  end = 0
  #type
  constructor(type) {
    this.#type = type
  }
  encode(memory, values, from, to, at, limit) {
    const type = this.#type
    const last = Math.min(to, from + Math.floor((limit - at) / STRUCT_SIZE[type]))
    const next =
      type === 'i32' ? encodeInt32s(memory, values, from, last, at) : this.#encode(memory, values, from, last, at)
    if (next === from && next < last) throw refusal({ reason: `${type} does not hold ${String(values[from])}` })
    this.end = at + (next - from) * STRUCT_SIZE[type]
    return next - from
  }
  #encode({ words, floats }, values, from, to, at) {
    const type = this.#type
    let index = from
    for (; index < to && holds(type, values[index]); index++) {
      if (type === 'f64') floats[(at >> 3) + index - from] = values[index]
      else words[(at >> 2) + index - from] = Number(values[index])
    }
    return index
  }
}
/** The common case, as tight as it can be. */
function encodeInt32s({ words }, values, from, to, at) {
  const base = (at >> 2) - from
  let index = from
  for (; index < to; index++) {
    const value = values[index]
    if (typeof value !== 'number' || (value | 0) !== value || (value === 0 && 1 / value < 0)) break
    words[base + index] = value
  }
  return index
}
class ScalarDecoder {
  #type
  constructor(type) {
    this.#type = type
  }
  decode({ words, floats }, at, _end, count, out) {
    const word = at >> 2
    if (this.#type === 'i32') for (let i = 0; i < count; i++) out[i] = words[word + i]
    else if (this.#type === 'u32') for (let i = 0; i < count; i++) out[i] = words[word + i] >>> 0
    else if (this.#type === 'bool') for (let i = 0; i < count; i++) out[i] = words[word + i] === 1
    else for (let i = 0; i < count; i++) out[i] = floats[(at >> 3) + i]
  }
}
class StructEncoder {
  end = 0
  #layout
  #view
  constructor(layout) {
    this.#layout = layout
    this.#view = new (structView(layout))()
  }
  encode(memory, values, from, to, at, limit) {
    const { stride } = this.#layout
    const last = Math.min(to, from + Math.floor((limit - at) / stride))
    const view = this.#view
    let index = from
    for (; index < last && view.put(memory, at + (index - from) * stride, values[index]); index++);
    if (index === from && index < last) throw this.#refusal(values[from])
    this.end = at + (index - from) * stride
    return index - from
  }
  #refusal(value) {
    if (typeof value !== 'object' || value === null) return refusal({ reason: `${String(value)} is not an object` })
    const { fields } = this.#layout
    for (const key in value)
      if (!fields.some(({ name }) => name === key)) return refusal({ reason: `it has no field ${key}` })
    const field = fields.find(({ name, type }) => !holds(type, Reflect.get(value, name)))
    return refusal({
      field: field.name,
      reason: `${field.type} does not hold ${String(Reflect.get(value, field.name))}`,
    })
  }
}
class StructDecoder {
  #stride
  #view
  constructor(layout) {
    this.#stride = layout.stride
    this.#view = new (structView(layout))()
  }
  decode(memory, at, _end, count, out) {
    const view = this.#view
    for (let index = 0; index < count; index++) {
      view.moveTo(memory, at + index * this.#stride)
      out[index] = view.toObject()
    }
  }
}
class ViewDecoder {
  #stride
  #View
  #views = []
  constructor(layout) {
    this.#stride = layout.stride
    this.#View = structView(layout)
  }
  decode(memory, at, _end, count, out) {
    while (this.#views.length < count) this.#views.push(new this.#View())
    for (let index = 0; index < count; index++) {
      const view = this.#views[index]
      view.moveTo(memory, at + index * this.#stride)
      out[index] = view
    }
  }
}
