import { randomBytes } from 'node:crypto'
import { Type } from 'typebox'
import type { PipelineEvent } from '../supervisor/events.ts'
import { shown } from '../shown.ts'
import { errorView } from './error-view.ts'

/** An event of a pipeline as subscribers get it: plain data, and a number to come back to. */
export const LoggedEvent = Type.Object(
  {
    id: Type.Integer({ description: 'Sequence number within the pipeline, from 1.' }),
    name: Type.String(),
    pipeline: Type.String(),
    time: Type.Number({ description: 'Milliseconds since 1970.' }),
    fields: Type.Record(Type.String(), Type.Unknown(), {
      description: 'The fields of the event, as described in `docs/events.md`.',
    }),
  },
  {
    examples: [
      {
        id: 4,
        name: 'worker.restarted',
        pipeline: 'iot',
        time: 1_790_000_000_000,
        fields: { node: 'parse', worker: 1, epoch: 2, tookMs: 31.2 },
      },
    ],
  },
)
export type LoggedEvent = Type.Static<typeof LoggedEvent>

/** A report says a line or two of each node. */
const FIELD_LIMITS = { depth: 16, bytes: 4_194_304 }

/** The last events of a pipeline, for subscribers that come back or were slow. */
export class EventLog {
  /** The number of the newest event; 0 before the first. */
  last = 0
  /** Tells this log from one of an earlier process, whose numbers mean other events. */
  readonly #epoch = randomBytes(6).toString('hex')
  readonly #kept: LoggedEvent[] = []
  readonly #most: number
  readonly #showRecords: boolean
  readonly #listeners = new Set<(event: LoggedEvent) => void>()

  constructor(most: number, showRecords: boolean) {
    this.#most = most
    this.#showRecords = showRecords
  }

  add({ name, pipeline, time, ...fields }: PipelineEvent): void {
    const event = { id: ++this.last, name, pipeline, time, fields: this.#plain(fields) }
    this.#kept.push(event)
    if (this.#kept.length > this.#most) this.#kept.shift()
    for (const listener of this.#listeners) listener(event)
  }

  /** Events after the one with this number, and how many of them are not kept any more. */
  after(id: number): { readonly events: readonly LoggedEvent[]; readonly missed: number } {
    const events = this.#kept.slice(Math.max(0, this.#kept.length - (this.last - id)))
    return { events, missed: Math.max(0, this.last - id - events.length) }
  }

  /** An event's number as subscribers send it back. */
  idOf(id: number): string {
    return `${this.#epoch}-${id}`
  }

  /** The number that a subscriber sent back; 0 where it is of another log, or none. */
  numberOf(id: string): number {
    const [epoch, number] = id.split('-')
    const value = Number(number)
    return epoch === this.#epoch && Number.isInteger(value) ? Math.min(this.last, Math.max(0, value)) : 0
  }

  /** @returns what ends the listening */
  listen(listener: (event: LoggedEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #plain(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const given = Object.entries(fields).filter(([, value]) => value !== undefined)
    const entries = given.map(([key, value]) => {
      const isError = value instanceof Error || key === 'error' || key === 'cause'
      return [key, isError ? errorView(value, this.#showRecords) : shown(value, FIELD_LIMITS)]
    })
    return Object.fromEntries(entries) as Record<string, unknown>
  }
}
