import type { StructType } from '../graph/types.ts'
import type { Memory } from '../memory/memory.ts'
import { canCompile, compile } from './compile.ts'

interface Field {
  readonly name: string
  readonly type: StructType
  /** Offset in the record, in bytes. */
  readonly offset: number
}

export interface StructLayout {
  /** In the order of the declaration. */
  readonly fields: readonly Field[]
  /** Distance of one record to the next, in bytes. */
  readonly stride: number
}

export const STRUCT_SIZE: Readonly<Record<StructType, number>> = { f64: 8, i32: 4, u32: 4, bool: 4 }

export function structLayout(fields: Readonly<Record<string, StructType>>): StructLayout {
  const entries = Object.entries(fields)
  const offsets = new Map<string, number>()
  let offset = 0
  for (const size of [8, 4]) {
    for (const [name, type] of entries) {
      if (STRUCT_SIZE[type] !== size) continue
      offsets.set(name, offset)
      offset += size
    }
  }
  const hasWide = entries.some(([, type]) => STRUCT_SIZE[type] === 8)
  return {
    fields: entries.map(([name, type]) => ({ name, type, offset: offsets.get(name)! })),
    stride: hasWide ? (offset + 7) & -8 : offset,
  }
}

/** Whether the type holds the value exactly. */
export function holds(type: StructType, value: unknown): boolean {
  if (type === 'bool') return typeof value === 'boolean'
  if (typeof value !== 'number') return false
  if (type === 'f64') return true
  return (type === 'i32' ? value | 0 : value >>> 0) === value && !Object.is(value, -0)
}

/** A record of a layout, read and written in place; its fields are properties. */
export interface StructView {
  /** Puts the view on the record at `at`, in bytes. */
  moveTo(memory: Memory, at: number): void
  /** Writes `value` as the record at `at`; false where the layout does not hold it exactly. */
  put(memory: Memory, at: number, value: unknown): boolean
  /** A copy that outlives the record. */
  toObject(): Record<string, unknown>
}

/** The class of views of a layout: compiled where code may be compiled, otherwise put together from closures. */
export function structView(layout: StructLayout): new () => StructView {
  return canCompile ? compiledView(layout) : closureView(layout)
}

/** The condition that the variable `name` holds a value of the type; the same as `holds`. */
function fits(type: StructType, name: string): string {
  if (type === 'bool') return `typeof ${name} === 'boolean'`
  if (type === 'f64') return `typeof ${name} === 'number'`
  return `typeof ${name} === 'number' && (${name} ${type === 'i32' ? '| 0' : '>>> 0'}) === ${name} && (${name} !== 0 || 1 / ${name} > 0)`
}

/** The array element that holds the field of the record at `at`. */
function place({ type, offset }: Field, at: string): string {
  return type === 'f64' ? `floats[(${at} >> 3) + ${offset / 8}]` : `words[(${at} >> 2) + ${offset / 4}]`
}

/** The expression of the field of the record at `at`; `prefix` is what the arrays are members of. */
function valueOf(field: Field, prefix: string): string {
  const raw = prefix + place(field, 'this.#at')
  return field.type === 'u32' ? `${raw} >>> 0` : field.type === 'bool' ? `${raw} === 1` : raw
}

function compiledView({ fields }: StructLayout): new () => StructView {
  const source = `'use strict'
class StructView {
  #words; #floats; #at = 0
  moveTo(memory, at) { this.#words = memory.words; this.#floats = memory.floats; this.#at = at }
  put(memory, at, value) {
    if (typeof value !== 'object' || value === null) return false
    ${fields.map(({ name }, i) => `const v${i} = value[${JSON.stringify(name)}]`).join('\n')}
    let keys = 0
    for (const _ in value) keys++
    if (keys !== ${fields.length} ${fields.map(({ type }, i) => `|| !(${fits(type, `v${i}`)})`).join(' ')}) return false
    const { words, floats } = memory
    ${fields.map((field, i) => `${place(field, 'at')} = ${field.type === 'bool' ? `v${i} ? 1 : 0` : `v${i}`}`).join('\n')}
    return true
  }
  toObject() { return { ${fields.map((field) => `${JSON.stringify(field.name)}: ${valueOf(field, 'this.#')}`).join(', ')} } }
  ${fields
    .map(
      (field) => `get ${JSON.stringify(field.name)}() { return ${valueOf(field, 'this.#')} }
  set ${JSON.stringify(field.name)}(value) { this.#${place(field, 'this.#at')} = value }`,
    )
    .join('\n')}
}
for (const name of ${JSON.stringify(fields.map(({ name }) => name))}) Object.defineProperty(StructView.prototype, name, { enumerable: true })
return StructView`
  return compile(source) as new () => StructView
}

function closureView({ fields }: StructLayout): new () => StructView {
  class ClosureView implements StructView {
    #memory!: Memory
    #at = 0

    static {
      for (const field of fields) {
        Object.defineProperty(this.prototype, field.name, {
          enumerable: true,
          get(this: ClosureView) {
            return this.#get(field)
          },
          set(this: ClosureView, value: unknown) {
            this.#set(field, value)
          },
        })
      }
    }

    moveTo(memory: Memory, at: number): void {
      this.#memory = memory
      this.#at = at
    }

    put(memory: Memory, at: number, value: unknown): boolean {
      if (typeof value !== 'object' || value === null) return false
      let keys = 0
      for (const _ in value) keys++
      if (keys !== fields.length) return false
      if (!fields.every(({ name, type }) => holds(type, Reflect.get(value, name)))) return false
      this.moveTo(memory, at)
      for (const field of fields) this.#set(field, Reflect.get(value, field.name))
      return true
    }

    toObject(): Record<string, unknown> {
      return Object.fromEntries(fields.map((field) => [field.name, this.#get(field)]))
    }

    #get({ type, offset }: Field): unknown {
      if (type === 'f64') return this.#memory.floats[(this.#at + offset) >> 3]
      const word = this.#memory.words[(this.#at + offset) >> 2]!
      return type === 'i32' ? word : type === 'u32' ? word >>> 0 : word === 1
    }

    #set({ type, offset }: Field, value: unknown): void {
      if (type === 'f64') this.#memory.floats[(this.#at + offset) >> 3] = value as number
      else this.#memory.words[(this.#at + offset) >> 2] = Number(value)
    }
  }
  return ClosureView
}
