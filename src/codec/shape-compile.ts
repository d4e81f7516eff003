import type { Memory } from '../memory/memory.ts'
import { type Gathered, SHARED, anyBytes, readAny, writeAny } from './tagged.ts'
import { compile } from './compile.ts'
import { type ArrayType, type ObjectType, type ShapeType, isArrayType, isFlat, isObjectType } from './shape-type.ts'
import { TEXT_SLACK_BYTES, type TextReader } from './text-block.ts'

/**
 * Compiles a learned type into an encoder and a decoder of rows.
 *
 * A row starts at a multiple of 8. Its fixed part holds numbers and Dates (8 bytes each) first, then a word for each int32,
 * boolean, string (its length; the characters are in the chunk's text) and array (its length). The variable part holds,
 * in the order of the fields, the elements of arrays (numbers as in the fixed part, objects as rows) and tagged values.
 */
export interface RowEncoder {
  /**
   * Encodes values[from], … as rows, until one does not fit the type or the room. `progress` tells where and why it ended.
   * @returns index of the first value that is not encoded
   */
  (memory: Memory, gathered: Gathered, progress: Progress, values: ArrayLike<unknown>, from: number, to: number): number
}

export interface Progress {
  /** Where to write; after the call, the offset after the last row. */
  at: number
  limit: number
  /** True where the room ended, or a value was refused; false where a value did not fit the type, or threw. */
  isFull: boolean
}

export interface RowDecoder {
  /** Decodes `count` rows from `at` into out[index], …; returns the offset after them. */
  (memory: Memory, text: TextReader, at: number, out: unknown[], index: number, count: number): number
}

/** Arrays up to this length are written at each place that refers to them; a longer one may stand at one place only. */
export const SHORT = 16

export function compileEncoder(text: string): RowEncoder {
  return compile(new EncoderSource(JSON.parse(text) as ShapeType).toString(), { writeAny }) as RowEncoder
}

export function compileDecoder(text: string): RowDecoder {
  return compile(new DecoderSource(JSON.parse(text) as ShapeType).toString(), { readAny, anyBytes }) as RowDecoder
}

/** A field of the fixed part: where it lies, and the variable that holds it. */
interface Field {
  readonly type: ShapeType
  readonly name: string
  readonly depth: number
  offset: number
}

/** Lays the fields of one row out: 8-byte ones first. Returns the bytes of the fixed part. */
export function layOut(fields: readonly { readonly type: ShapeType; offset: number }[]): number {
  let offset = 0
  for (const field of fields) if (field.type === 'f' || field.type === 'd') field.offset = 8 * offset++
  offset *= 8
  for (const field of fields) {
    if (field.type === 'f' || field.type === 'd' || field.type === '?') continue
    field.offset = offset
    offset += 4
  }
  return (offset + 7) & -8
}

/** `(at + offset) >> 2` as an index into the words; the parts are known to be multiples. */
function word(at: string, offset: number): string {
  return `words[(${at} >> 2) + ${offset / 4}]`
}

function float(at: string, offset: number): string {
  return `floats[(${at} >> 3) + ${offset / 8}]`
}

const IS_INT32 = (name: string): string =>
  `typeof ${name} === 'number' && (${name} | 0) === ${name} && (${name} !== 0 || 1 / ${name} > 0)`

class EncoderSource {
  readonly #type: ShapeType
  readonly #keys: string[] = []
  #names = 0
  /** Some part of the row has to be the only one that refers to it. */
  #meets = false

  constructor(type: ShapeType) {
    this.#type = type
  }

  toString(): string {
    const row = this.#row(this.#type, 'value', 'at', 0)
    return `'use strict'
const prototypeOf = Object.getPrototypeOf, plain = Object.prototype
${this.#keys.map((keys, i) => `const keys${i} = ${keys}`).join('\n')}
return function encodeRows(memory, gathered, progress, values, from, to) {
  const { words, floats } = memory
  const limit = progress.limit - ${TEXT_SLACK_BYTES}, charBytes = gathered.charBytes${this.#meets ? ', met = gathered.met' : ''}
  let at = progress.at, text = gathered.text, chars = gathered.chars, isFull = false, index = from
  let textBefore = text, charsBefore = chars
  try {
    for (; index < to; index++) {
      const value = values[index]
      textBefore = text
      charsBefore = chars
      let end = 0${this.#meets ? '\n      met.clear()' : ''}
      row: {
${row}
        at = end
        continue
      }
      text = textBefore
      chars = charsBefore
      break
    }
  } catch {
    text = textBefore
    chars = charsBefore
    isFull = false
  }
  ${this.#meets ? 'met.clear()' : ''}
  progress.at = at
  progress.isFull = isFull
  gathered.text = text
  gathered.chars = chars
  return index
}`
  }

  /** Checks `value`, writes it as a row at `at`, and sets `end` behind it; leaves the block \`row\` where it cannot. */
  #row(type: ShapeType, value: string, at: string, depth: number): string {
    const fields: Field[] = []
    const checks = this.#checks(type, value, fields, depth)
    const fixed = layOut(fields)
    const strings = fields.filter((field) => field.type === 's').map((field) => field.name)
    return `
      ${checks}
      ${strings.map((name) => `chars += ${name}.length`).join('; ')}
      if (${at} + ${fixed} + chars * charBytes > limit) { isFull = true; break row }
      ${fields.map((field) => this.#store(field, at)).join('\n')}
      ${strings.map((name) => `text += ${name}`).join('; ')}
      end = ${at} + ${fixed}
      ${fields.map((field) => this.#tail(field)).join('\n')}`
  }

  /** Loads every field into a variable of its own, then checks it. The loads come first: they teach the engine the layout. */
  #checks(type: ShapeType, value: string, fields: Field[], depth: number): string {
    if (isObjectType(type)) return this.#objectChecks(type, value, fields, depth)
    fields.push({ type, name: value, depth, offset: 0 })
    if (isArrayType(type))
      return `if (!Array.isArray(${value})) break row
        const ${value}n = ${value}.length
        if (Object.keys(${value}).length !== ${value}n) break row`
    if (type === 'i') return `if (!(${IS_INT32(value)})) break row`
    if (type === 'f') return `if (typeof ${value} !== 'number') break row`
    if (type === 'b') return `if (typeof ${value} !== 'boolean') break row`
    if (type === 's') return `if (typeof ${value} !== 'string') break row`
    return type === 'd' ? `if (!(${value} instanceof Date)) break row` : ''
  }

  #objectChecks(type: ObjectType, value: string, fields: Field[], depth: number): string {
    const names = type.o.map(() => `v${this.#names++}`)
    const keys = `keys${this.#keys.push(JSON.stringify(type.o.map(([key]) => key))) - 1}`
    const count = `n${this.#names++}`
    const loads = type.o.map(([key], i) => `const ${names[i]} = ${value}[${JSON.stringify(key)}]`)
    const inner = type.o.map(([, field], i) => this.#checks(field, names[i]!, fields, depth + 1))
    return `if (typeof ${value} !== 'object' || ${value} === null) break row
      ${loads.join('\n')}
      if (prototypeOf(${value}) !== plain) break row
      let ${count} = 0
      for (const key in ${value}) { if (key !== ${keys}[${count}]) break row; ${count}++ }
      if (${count} !== ${names.length}) break row
      ${inner.join('\n')}`
  }

  #store({ type, name, offset }: Field, at: string): string {
    if (type === 'f') return `${float(at, offset)} = ${name}`
    if (type === 'd') return `${float(at, offset)} = ${name}.getTime()`
    if (type === 'i') return `${word(at, offset)} = ${name}`
    if (type === 'b') return `${word(at, offset)} = ${name} ? 1 : 0`
    return type === '?' ? '' : `${word(at, offset)} = ${isArrayType(type) ? `${name}n` : `${name}.length`}`
  }

  #tail({ type, name, depth }: Field): string {
    if (type === '?') {
      this.#meets = true
      return `gathered.text = text; gathered.chars = chars
      end = writeAny(memory, gathered, ${name}, end, progress.limit, ${depth})
      if (end < 0) { isFull = end !== ${SHARED}; break row }
      text = gathered.text; chars = gathered.chars`
    }
    return isArrayType(type) ? this.#elements(type, name, depth) : ''
  }

  #elements(type: ArrayType, name: string, depth: number): string {
    // A getter may change the array while it is read: what is written has the length that was written.
    const count = `${name}n`
    if (type.a === '0') return `if (${count} !== 0) break row`
    const [i, item] = [`i${this.#names++}`, `v${this.#names++}`]
    this.#meets = true
    const meets = `if (${isFlat(type.a) ? `${count} > ${SHORT} && ` : ''}!met.add(${name})) break row`
    if (isObjectType(type.a) || isArrayType(type.a)) {
      const at = `at${this.#names++}`
      return `${meets}
      for (let ${i} = 0; ${i} < ${count}; ${i}++) {
        const ${item} = ${name}[${i}], ${at} = end
        ${this.#row(type.a, item, at, depth + 1)}
      }`
    }
    const wide = type.a === 'f' || type.a === 'd'
    const size = wide ? 8 : 4
    const field: Field = { type: type.a, name: item, depth: depth + 1, offset: 0 }
    return `${meets}
      if (end + ${size} * ${count} + chars * charBytes > limit) { isFull = true; break row }
      for (let ${i} = 0; ${i} < ${count}; ${i}++) {
        const ${item} = ${name}[${i}]
        ${this.#checks(type.a, item, [], depth + 1)}
        ${this.#store(field, `(end + ${size} * ${i})`)}
        ${type.a === 's' ? `chars += ${item}.length; text += ${item}` : ''}
      }
      end = (end + ${size} * ${count} + 7) & -8
      if (end + chars * charBytes > limit) { isFull = true; break row }`
  }
}

class DecoderSource {
  readonly #type: ShapeType
  #names = 0

  constructor(type: ShapeType) {
    this.#type = type
  }

  toString(): string {
    return `'use strict'
return function decodeRows(memory, text, at, out, index, count) {
  const { words, floats } = memory
  for (const last = index + count; index < last; index++) {
    let end = 0
    ${this.#row(this.#type, 'at', (value) => `out[index] = ${value}`)}
    at = end
  }
  return at
}`
  }

  /** Reads the row at \`at\`, hands the expression of its value to \`use\`, and sets \`end\` behind the row. */
  #row(type: ShapeType, at: string, use: (value: string) => string): string {
    const fields: Field[] = []
    const value = this.#literal(type, fields)
    const fixed = layOut(fields)
    return `
      ${fields
        .filter(({ type }) => type === 's')
        .map(({ name, offset }) => `const ${name} = text.take(${word(at, offset)})`)
        .join('\n')}
      end = ${at} + ${fixed}
      ${fields.map((field) => this.#read(field, at)).join('\n')}
      ${use(value)}`
  }

  #literal(type: ShapeType, fields: Field[]): string {
    if (isObjectType(type)) {
      const parts = type.o.map(([key, field]) => {
        const name = key === '__proto__' ? '["__proto__"]' : JSON.stringify(key)
        return `${name}: ${this.#literal(field, fields)}`
      })
      return `{ ${parts.join(', ')} }`
    }
    const name = `v${this.#names++}`
    fields.push({ type, name, depth: 0, offset: 0 })
    return name
  }

  #read({ type, name, offset }: Field, at: string): string {
    if (type === 's') return ''
    if (type === '?') return `const ${name} = readAny(memory, text, end); end += anyBytes(memory, end)`
    if (isArrayType(type)) return this.#elements(type, name, word(at, offset))
    return `const ${name} = ${scalar(type, at, offset)}`
  }

  #elements(type: ArrayType, name: string, length: string): string {
    const count = `n${this.#names++}`
    const i = `i${this.#names++}`
    const open = `const ${count} = ${length}, ${name} = new Array(${count})`
    if (type.a === '0') return `const ${name} = []`
    if (isObjectType(type.a) || isArrayType(type.a)) {
      const at = `at${this.#names++}`
      return `${open}
      for (let ${i} = 0; ${i} < ${count}; ${i}++) {
        const ${at} = end
        ${this.#row(type.a, at, (value) => `${name}[${i}] = ${value}`)}
      }`
    }
    const size = type.a === 'f' || type.a === 'd' ? 8 : 4
    const at = `(end + ${size} * ${i})`
    const item = type.a === 's' ? `text.take(${word(at, 0)})` : scalar(type.a, at, 0)
    return `${open}
      for (let ${i} = 0; ${i} < ${count}; ${i}++) ${name}[${i}] = ${item}
      end = (end + ${size} * ${count} + 7) & -8`
  }
}

function scalar(type: ShapeType, at: string, offset: number): string {
  if (type === 'f') return float(at, offset)
  if (type === 'd') return `new Date(${float(at, offset)})`
  return type === 'b' ? `${word(at, offset)} === 1` : word(at, offset)
}
