import { EXPIRES, type HeadsLayout, LENGTH, META } from '../memory/heads.ts'
import type { Memory } from '../memory/memory.ts'
import { anchorSlot, anchorSource } from '../memory/slots.ts'

/** Reads the heads of what sources sent. */
export class Heads {
  readonly #memory: Memory
  /** By source number. */
  readonly #layouts: readonly (HeadsLayout | undefined)[]

  constructor(memory: Memory, layouts: readonly (HeadsLayout | undefined)[]) {
    this.#memory = memory
    this.#layouts = layouts
  }

  /** Of what came of the slot. A new value each time: whoever has it may change it. */
  metaOf(anchor: number): unknown {
    const at = this.#at(anchor)
    const length = at === undefined ? 0 : this.#memory.words[(at + LENGTH) / 4]!
    if (length === 0) return undefined
    return JSON.parse(this.#memory.bytes.toString('utf8', at! + META, at! + META + length))
  }

  /** @param now in ms of the monotonic clock */
  isExpired(anchor: number, now: number): boolean {
    const at = this.#at(anchor)
    const expiresAt = at === undefined ? 0 : this.#memory.floats[(at + EXPIRES) / 8]!
    return expiresAt !== 0 && expiresAt <= now
  }

  #at(anchor: number): number | undefined {
    const layout = this.#layouts[anchorSource(anchor)]
    return layout && layout.offset + anchorSlot(anchor) * layout.bytes
  }
}
