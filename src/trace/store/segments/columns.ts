/** Bytes that grow. */
class Bytes {
  buffer = Buffer.allocUnsafe(1_024)
  length = 0

  room(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + bytes))
    this.buffer.copy(larger, 0, 0, this.length)
    this.buffer = larger
  }

  varint(value: number): void {
    this.room(8)
    let rest = value
    while (rest > 127) {
      this.buffer[this.length++] = (rest % 128) + 128
      rest = Math.floor(rest / 128)
    }
    this.buffer[this.length++] = rest
  }
}

/** Values of one kind after another, each column by itself: what is alike lies together and packs well. */
export class ColumnWriter {
  readonly #columns = new Map<string, Bytes>()
  readonly #last = new Map<string, number>()
  readonly #texts = new Map<string, number>()

  #column(name: string): Bytes {
    let column = this.#columns.get(name)
    if (column === undefined) this.#columns.set(name, (column = new Bytes()))
    return column
  }

  /** A whole number, kept as its difference from the one before. */
  int(name: string, value: number): void {
    const difference = value - (this.#last.get(name) ?? 0)
    this.#last.set(name, value)
    this.#column(name).varint(difference < 0 ? -2 * difference - 1 : 2 * difference)
  }

  float(name: string, value: number): void {
    const column = this.#column(name)
    column.room(8)
    column.length = column.buffer.writeDoubleLE(value, column.length)
  }

  /** A text that comes often: kept once. */
  word(name: string, text: string): void {
    let index = this.#texts.get(text)
    if (index === undefined) this.#texts.set(text, (index = this.#texts.size))
    this.int(name, index)
  }

  /** Any text. */
  text(name: string, text: string): void {
    const column = this.#column(name)
    const bytes = Buffer.byteLength(text)
    column.varint(bytes)
    column.room(bytes)
    column.length += column.buffer.write(text, column.length)
  }

  /** Hexadecimal digits, a byte for two. */
  hex(name: string, digits: string): void {
    const column = this.#column(name)
    column.varint(digits.length)
    column.room(digits.length)
    const written = column.buffer.write(digits, column.length, 'hex')
    if (written * 2 !== digits.length) throw new TypeError(`${JSON.stringify(digits)} is no id.`)
    column.length += written
  }

  finish(): Buffer {
    const columns = [...this.#columns]
    const sizes = columns.map(([name, { length }]) => [name, length])
    const head = Buffer.from(JSON.stringify({ texts: [...this.#texts.keys()], sizes }))
    const length = Buffer.alloc(4)
    length.writeUInt32LE(head.length)
    return Buffer.concat([length, head, ...columns.map(([, { buffer, length }]) => buffer.subarray(0, length))])
  }
}

/** Reads what a `ColumnWriter` wrote, by the same calls in the same order. */
export class ColumnReader {
  readonly #columns = new Map<string, { readonly bytes: Buffer; at: number; last: number }>()
  readonly #texts: readonly string[]

  constructor(bytes: Buffer) {
    const head = bytes.readUInt32LE(0)
    const { texts, sizes } = JSON.parse(bytes.toString('utf8', 4, 4 + head)) as {
      texts: string[]
      sizes: [string, number][]
    }
    this.#texts = texts
    let at = 4 + head
    for (const [name, size] of sizes) {
      this.#columns.set(name, { bytes: bytes.subarray(at, at + size), at: 0, last: 0 })
      at += size
    }
  }

  #varint(column: { readonly bytes: Buffer; at: number }): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = column.bytes[column.at++]!
      if (byte < 128) return value + byte * scale
      value += (byte - 128) * scale
      scale *= 128
    }
  }

  int(name: string): number {
    const column = this.#columns.get(name)!
    const coded = this.#varint(column)
    column.last += coded % 2 === 0 ? coded / 2 : -(coded + 1) / 2
    return column.last
  }

  float(name: string): number {
    const column = this.#columns.get(name)!
    column.at += 8
    return column.bytes.readDoubleLE(column.at - 8)
  }

  word(name: string): string {
    return this.#texts[this.int(name)]!
  }

  text(name: string): string {
    const column = this.#columns.get(name)!
    const size = this.#varint(column)
    column.at += size
    return column.bytes.toString('utf8', column.at - size, column.at)
  }

  hex(name: string): string {
    const column = this.#columns.get(name)!
    const size = this.#varint(column) / 2
    column.at += size
    return column.bytes.toString('hex', column.at - size, column.at)
  }
}
