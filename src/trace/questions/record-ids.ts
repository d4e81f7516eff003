import { formatId, mix, mixed, unmix } from '../../lane/ids.ts'
import type { TracedRecords } from '../event.ts'

/** The id of the record in place `place` of these. */
export function idIn(records: TracedRecords, place: number): string {
  mix(...wordsOf(records.base), (records.first + place) | 0)
  return formatId(mixed.low, mixed.high)
}

/** Finds one record among chunks: ids are computed, so a chunk is looked at once however many records it has. */
export class RecordFinder {
  readonly #low: number
  readonly #high: number

  /** @param id 16 hexadecimal digits, or `BASE:N` for the N-th of a base, as `data_flow_events` names messages */
  constructor(id: string) {
    unmix(...wordsOf(resolvedId(id)))
    this.#low = mixed.low
    this.#high = mixed.high
  }

  /** Its place among these records, or -1. */
  placeIn({ base, first, count }: TracedRecords): number {
    const [low, high] = wordsOf(base)
    const index = this.#high ^ high
    const place = (index - first) | 0
    return place >= 0 && place < count && (this.#low ^ Math.imul(index, 0x9e3779b1)) === low ? place : -1
  }
}

/** An id as digits, from either way to write it. */
export function resolvedId(id: string): string {
  const [base = '', index] = id.split(':')
  return index === undefined ? base : idIn({ base, first: Number(index), count: 1 }, 0)
}

/** Whether a text is an id in either way to write it. */
export function isRecordId(text: string): boolean {
  return /^[\da-f]{16}(?::\d{1,10})?$/.test(text)
}

/** The two words of an id. */
export function wordsOf(id: string): [low: number, high: number] {
  return [Number.parseInt(id.slice(8), 16) | 0, Number.parseInt(id.slice(0, 8), 16) | 0]
}
