import type { ChunkHeader } from '../../lane/writer.ts'
import type { AttributeValue } from '../call/notes.ts'
import type { Composed, Member } from '../chunk.ts'
import type { EventFacts } from './event-writer.ts'
import type { Seen, Witness } from './witness.ts'

/** What is told of the chunk in hand beside what became of it: what handlers said, and what was seen of its records. */
export class Asides {
  /** Absent where nothing of the records themselves is told. */
  readonly #witness: Witness | undefined
  #seen: Seen | undefined
  #notes: ReadonlyMap<string, AttributeValue> | undefined

  constructor(witness: Witness) {
    this.#witness = witness.isNeeded ? witness : undefined
  }

  /** Later words of a name stand. */
  note(notes: ReadonlyMap<string, AttributeValue>): void {
    this.#notes = this.#notes === undefined ? notes : new Map([...this.#notes, ...notes])
  }

  /** Looks at the records before the handler does. */
  look(
    header: ChunkHeader,
    from: number,
    composed: Composed | undefined,
    members: readonly Member[] | undefined,
  ): void {
    if (this.#witness === undefined) return
    const values = composed?.records?.() ?? (header as ChunkHeader & { values?: ArrayLike<unknown> }).values ?? []
    const headerAt = (place: number): ChunkHeader => members?.[place]?.header ?? header
    this.#seen = this.#witness.look(members?.[0]?.header ?? header, from, values, headerAt)
  }

  /** @param records of the event: a portion may be shorter than what was looked at */
  take(records: number): Pick<EventFacts, 'attributes' | 'seen'> {
    const notes = this.#notes
    const seen = this.#seen
    this.forget()
    return {
      ...(notes && { attributes: JSON.stringify(Object.fromEntries(notes)) }),
      ...(seen && { seen: { ...seen, content: seen.content.filter(([index]) => index < records) } }),
    }
  }

  forget(): void {
    this.#notes = undefined
    this.#seen = undefined
  }
}
