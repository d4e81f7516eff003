import { crc32 } from 'node:zlib'

/** Which traces a block may hold: 8 bits for each, so that one in thirty that it does not hold is looked for in vain. */
export class Bloom {
  readonly #bits: Buffer

  private constructor(bits: Buffer) {
    this.#bits = bits
  }

  static of(traces: ReadonlySet<string>): Bloom {
    const bloom = new Bloom(Buffer.alloc(Math.max(8, traces.size)))
    for (const trace of traces) for (const bit of bloom.#placesOf(trace)) bloom.#bits[bit >> 3]! |= 1 << (bit & 7)
    return bloom
  }

  static from(text: string): Bloom {
    return new Bloom(Buffer.from(text, 'base64'))
  }

  mayHold(trace: string): boolean {
    return this.#placesOf(trace).every((bit) => (this.#bits[bit >> 3]! & (1 << (bit & 7))) !== 0)
  }

  #placesOf(trace: string): number[] {
    const bits = this.#bits.length * 8
    const first = crc32(trace)
    const second = (crc32(trace, first) | 1) >>> 0
    return [0, 1, 2].map((i) => (first + i * second) % bits)
  }

  toString(): string {
    return this.#bits.toString('base64')
  }
}
