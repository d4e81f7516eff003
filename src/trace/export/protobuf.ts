/** Writes one message of protobuf, field by field. */
export class Message {
  readonly #bytes: number[] = []

  /** A whole number of at least 0. */
  number(field: number, value: number | bigint): this {
    this.#varint(field * 8)
    this.#varint(value)
    return this
  }

  bool(field: number, value: boolean): this {
    return this.number(field, value ? 1 : 0)
  }

  double(field: number, value: number): this {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleLE(value)
    return this.#raw(field * 8 + 1, bytes)
  }

  fixed64(field: number, value: bigint): this {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(value)
    return this.#raw(field * 8 + 1, bytes)
  }

  text(field: number, value: string): this {
    return this.#content(field, Buffer.from(value))
  }

  message(field: number, value: Message): this {
    return this.#content(field, value.finish())
  }

  #content(field: number, bytes: Uint8Array): this {
    this.#varint(field * 8 + 2)
    this.#varint(bytes.length)
    for (const byte of bytes) this.#bytes.push(byte)
    return this
  }

  #raw(tag: number, bytes: Uint8Array): this {
    this.#varint(tag)
    for (const byte of bytes) this.#bytes.push(byte)
    return this
  }

  #varint(value: number | bigint): void {
    let rest = BigInt(value)
    while (rest > 127n) {
      this.#bytes.push(Number(rest & 127n) | 128)
      rest >>= 7n
    }
    this.#bytes.push(Number(rest))
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes)
  }
}
