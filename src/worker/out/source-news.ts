import type { ChunkHeader } from '../../lane/writer.ts'
import { NOTE_SAID, type Said } from '../call/context.ts'
import type { Fault } from './failure.ts'
import { reasonText } from './reason-text.ts'
import type { Settlement } from './settlement.ts'

/** What the chunk in hand has for its sources: nacks and why, notes, and releases. They are told when it is closed. */
export class SourceNews {
  readonly #settlement: Settlement
  readonly #nacks: { readonly owner: ChunkHeader; readonly why: string | undefined }[] = []
  readonly #notes: { readonly owner: ChunkHeader; readonly text: string }[] = []
  readonly #releases: ChunkHeader[] = []
  /** The last reason that was put in words, and its error: a batch that fails has one for all of its records. */
  #lastReason:
    | { readonly error: unknown; readonly node: string; readonly attempts: number; readonly text: string }
    | undefined

  constructor(settlement: Settlement) {
    this.#settlement = settlement
  }

  /** A record of this chunk has failed. @param why undefined if no source asks */
  nack(owner: ChunkHeader, why: string | undefined): void {
    this.#nacks.push({ owner, why })
  }

  note(owner: ChunkHeader, text: string): void {
    if (this.#settlement.tellsReasons) this.#notes.push({ owner, text })
  }

  /** What a handler said of a record of this chunk. */
  take(said: readonly Said[], owner: ChunkHeader): void {
    for (const [kind, value] of said) {
      if (kind === NOTE_SAID) this.note(owner, value)
      else this.#releases.push(owner)
    }
  }

  /** Why a node gave a record up, in words; undefined if no source asks. */
  reasonOf(node: string, { error, attempts }: Fault): string | undefined {
    if (!this.#settlement.tellsReasons) return undefined
    const last = this.#lastReason
    if (last !== undefined && last.error === error && last.node === node && last.attempts === attempts) return last.text
    const text = reasonText(node, error, attempts)
    this.#lastReason = { error, node, attempts, text }
    return text
  }

  /** The next hand-off owes it to the sources. */
  tell(): void {
    for (const { owner, why } of this.#nacks) this.#settlement.fail(owner, 1, why)
    this.#nacks.length = 0
    this.#lastReason = undefined
    for (const { owner, text } of this.#notes) this.#settlement.say(owner, text)
    this.#notes.length = 0
    for (const owner of this.#releases) this.#settlement.release(owner)
    this.#releases.length = 0
  }
}
