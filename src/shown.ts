import { types } from 'node:util'

/** How much of a value is shown. */
export interface ShownLimits {
  /** Objects within objects; what lies deeper is named. Default: 16. */
  readonly depth?: number
  /** Bytes of JSON, within a few of them. Default: 65,536. */
  readonly bytes?: number
  /** Texts without control characters, as `printable` makes them: for terminals and logs. Default: false. */
  readonly isPrintable?: boolean
}

/** Plain data that `JSON.stringify` takes as it stands. */
export type Shown = null | boolean | number | string | readonly Shown[] | { readonly [key: string]: Shown }

/**
 * Any value as plain data, to be answered, logged or printed. It cannot fail, and calls nothing of the value's own: no getter,
 * no `toJSON`, no trap of a proxy. What JSON has no word for is named: `12n`, `[undefined]`, `[Function: parse]`,
 * `[Getter]`, `[Circular]`, `{ "[Map]": … }`. What is cut says so: `… 12 more`. It takes time in proportion to what it shows,
 * and to the number of keys of the objects in it.
 */
export function shown(value: unknown, { depth = 16, bytes = 65_536, isPrintable = false }: ShownLimits = {}): Shown {
  return new Showing(bytes, isPrintable).any(value, depth)
}

/** The same as JSON text. */
export function shownText(value: unknown, limits?: ShownLimits): string {
  return JSON.stringify(shown(value, limits))
}

/** A text, cut at its end where it is longer than so many bytes of UTF-8. */
export function cutText(text: string, bytes: number): string {
  if (text.length * 3 <= bytes || Buffer.byteLength(text) <= bytes) return text
  const room = Math.max(0, bytes)
  const { read } = new TextEncoder().encodeInto(text.slice(0, room), new Uint8Array(room))
  return `${text.slice(0, read)}… ${text.length - read} more characters`
}

// oxlint-disable-next-line no-control-regex -- these are the characters that a terminal obeys, or that turn a line around
const UNPRINTABLE = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]/g

/**
 * A text that a terminal only shows: control characters, and those that change the direction of a line, are written as JSON
 * writes them (`\u001b`), so JSON text stays the same data. Line ends and tabs stay.
 */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

const { getOwnPropertyDescriptor, getPrototypeOf, keys } = Object
/** Room for the word of what was cut. */
const CUT_BYTES = 32
/** A character is written with so many bytes at most: `\u0000`. */
const ESCAPED_BYTES = 6
const MOST_PROTOTYPES = 8
/** A larger integer takes too long to be written out. */
const MOST_BIGINT = 1n << 4_096n

class Showing {
  #left: number
  readonly #isPrintable: boolean
  /** What is being shown just now, from the outside in. */
  readonly #open = new Set<object>()
  /** An object that is met again is not asked for its keys again: there may be many. */
  readonly #keys = new Map<object, readonly string[]>()

  constructor(bytes: number, isPrintable: boolean) {
    this.#left = bytes
    this.#isPrintable = isPrintable
  }

  any(value: unknown, depth: number): Shown {
    switch (typeof value) {
      case 'string':
        return this.#text(value)
      case 'number':
        return Number.isFinite(value) ? this.#took(value === 0 ? 0 : value) : this.#name(`[${value}]`)
      case 'boolean':
        return this.#took(value)
      case 'bigint':
        return this.#bigint(value)
      case 'undefined':
        return this.#name('[undefined]')
      case 'symbol':
        return this.#text(`[${String(value)}]`)
      default:
        return value === null ? this.#took(null) : this.#object(value as object, depth)
    }
  }

  #object(value: object, depth: number): Shown {
    if (types.isProxy(value)) return this.#name('[Proxy]')
    if (typeof value === 'function') return this.#text(`[Function: ${nameOf(value) || 'anonymous'}]`)
    if (this.#open.has(value)) return this.#name('[Circular]')
    const simple = simpleOf(value)
    if (simple !== undefined) return this.#text(simple)
    if (depth <= 0) return this.#name(Array.isArray(value) ? '[Array]' : `[${classOf(value)}]`)
    this.#open.add(value)
    const found = this.#parts(value, depth - 1)
    this.#open.delete(value)
    return found
  }

  #parts(value: object, depth: number): Shown {
    this.#left -= 2
    if (Array.isArray(value)) return this.#list(value.length, (index) => this.#own(value, String(index), depth))
    if (types.isMap(value)) {
      const entries = Map.prototype.entries.call(value)
      const pair = (): Shown => {
        const [key, item] = entries.next().value!
        return [this.any(key, depth), this.any(item, depth)]
      }
      return named('[Map]', this.#list(mapSize(value) as number, pair))
    }
    if (types.isSet(value)) {
      const items = Set.prototype.values.call(value)
      return named(
        '[Set]',
        this.#list(setSize(value) as number, () => this.any(items.next().value, depth)),
      )
    }
    if (types.isTypedArray(value)) return this.#numbers(value)
    if (types.isAnyArrayBuffer(value) || types.isDataView(value)) return this.#bytes(classOf(value), bytesOf(value))
    if (types.isNativeError(value)) return this.#error(value, depth)
    return this.#fields(value, depth)
  }

  #fields(value: object, depth: number): Shown {
    const names = this.#keys.get(value) ?? keys(value)
    this.#keys.set(value, names)
    const entries: [string, Shown][] = []
    for (const name of names) {
      if (this.#isFull()) {
        entries.push(['…', this.#more(names.length - entries.length)])
        break
      }
      entries.push([this.#text(name), this.#own(value, name, depth)])
    }
    return Object.fromEntries(entries)
  }

  #list(length: number, item: (index: number) => Shown): readonly Shown[] {
    const items: Shown[] = []
    for (let index = 0; index < length; index++) {
      if (this.#isFull()) {
        items.push(this.#more(length - index))
        break
      }
      items.push(item(index))
    }
    return items
  }

  #own(value: object, name: string, depth: number): Shown {
    const property = getOwnPropertyDescriptor(value, name)
    if (property === undefined) return this.#name('[empty]')
    if (property.get !== undefined || property.set !== undefined) return this.#name('[Getter]')
    return this.any(property.value, depth)
  }

  #error(error: Error, depth: number): Shown {
    const name = dataOf(error, 'name')
    const message = dataOf(error, 'message')
    const code = dataOf(error, 'code')
    const told = {
      '[Error]': this.#text(typeof name === 'string' ? name : 'Error'),
      message: this.any(message, depth),
      ...(code === undefined ? {} : { code: this.any(code, depth) }),
    }
    return keys(error).length === 0 ? told : { ...(this.#fields(error, depth) as object), ...told }
  }

  #numbers(array: NodeJS.TypedArray): Shown {
    const name = classOf(array)
    if (types.isUint8Array(array)) return this.#bytes(name, bytesOf(array))
    return named(
      `[${name}]`,
      this.#list(lengthOf(array) as number, (index) => this.any(array[index], 0)),
    )
  }

  #bytes(name: string, bytes: Uint8Array): Shown {
    const most = Math.max(0, Math.min(bytes.length, Math.floor(this.#left / 2)))
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, most).toString('hex')
    this.#left -= text.length + name.length + 8
    const more = bytes.length - most
    return named(`[${name}]`, more === 0 ? text : `${text}… ${more} more bytes`)
  }

  #text(text: string): string {
    const shown = this.#fitting(text)
    return this.#isPrintable ? printable(shown) : shown
  }

  #fitting(text: string): string {
    const cut = cutText(text, this.#left)
    const size = Buffer.byteLength(JSON.stringify(cut))
    if (size <= this.#left + CUT_BYTES) {
      this.#left -= size + 1
      return cut
    }
    const shorter = cutText(text, Math.floor(this.#left / ESCAPED_BYTES))
    this.#left -= Buffer.byteLength(JSON.stringify(shorter)) + 1
    return shorter
  }

  #bigint(value: bigint): Shown {
    const isShort = value < MOST_BIGINT && value > -MOST_BIGINT
    return isShort ? this.#text(`${value}n`) : this.#name('[BigInt]')
  }

  #name(name: string): string {
    this.#left -= name.length + 3
    return name
  }

  #took<T extends number | boolean | null>(value: T): T {
    this.#left -= String(value).length + 1
    return value
  }

  #more(count: number): string {
    return this.#name(`… ${count} more`)
  }

  #isFull(): boolean {
    return this.#left < CUT_BYTES
  }
}

function named(name: string, content: Shown): Shown {
  return { [name]: content }
}

/** Objects that are one word. */
function simpleOf(value: object): string | undefined {
  if (types.isDate(value)) {
    const time = Date.prototype.getTime.call(value)
    return Number.isNaN(time) ? '[Invalid Date]' : new Date(time).toISOString()
  }
  if (types.isRegExp(value)) return `/${sourceOf(value) as string}/`
  // Its properties may not have values yet.
  if (types.isModuleNamespaceObject(value)) return '[Module]'
  if (types.isExternal(value)) return '[External]'
  const isClosed =
    types.isBoxedPrimitive(value) ||
    types.isPromise(value) ||
    types.isWeakMap(value) ||
    types.isWeakSet(value) ||
    types.isGeneratorObject(value)
  return isClosed ? `[${classOf(value)}]` : undefined
}

/** The name of what made an object, read without asking it. */
function classOf(value: object): string {
  const made = dataOf(value, 'constructor')
  const name = typeof made === 'function' && !types.isProxy(made) ? nameOf(made) : ''
  return name === '' ? 'Object' : printable(cutText(name, 100))
}

function nameOf(made: object): string {
  const name: unknown = getOwnPropertyDescriptor(made, 'name')?.value
  return typeof name === 'string' ? name : ''
}

/** What a property holds, here or in a prototype; undefined where a getter or a proxy would have to be asked. */
export function dataOf(value: unknown, name: string): unknown {
  let at = Object(value) === value ? (value as object | null) : null
  for (let step = 0; at !== null && step < MOST_PROTOTYPES && !types.isProxy(at); step++) {
    const found = getOwnPropertyDescriptor(at, name)
    if (found !== undefined) return found.value
    at = getPrototypeOf(at)
  }
  return undefined
}

/** A getter of the language itself: an object may have one of its own under the same name. */
function intrinsic(prototype: object, name: string): (value: object) => unknown {
  const property = getOwnPropertyDescriptor(prototype, name)!
  return (value) => property.get!.call(value) as unknown
}

const mapSize = intrinsic(Map.prototype, 'size')
const setSize = intrinsic(Set.prototype, 'size')
const sourceOf = intrinsic(RegExp.prototype, 'source')
const TYPED_ARRAY = getPrototypeOf(Uint8Array.prototype) as object
const lengthOf = intrinsic(TYPED_ARRAY, 'length')
const VIEWS = [TYPED_ARRAY, DataView.prototype].map((prototype) =>
  ['buffer', 'byteOffset', 'byteLength'].map((name) => intrinsic(prototype, name)),
)

/** The bytes of a buffer or a view; none where they were handed to another thread. */
function bytesOf(value: object): Uint8Array {
  try {
    if (types.isAnyArrayBuffer(value)) return new Uint8Array(value)
    const [buffer, from, length] = VIEWS[types.isDataView(value) ? 1 : 0]!.map((read) => read(value))
    return new Uint8Array(buffer as ArrayBuffer, from as number, length as number)
  } catch {
    return new Uint8Array()
  }
}
