import { randomBytes } from 'node:crypto'
import { Type } from 'typebox'
import { errorView } from './error-view.js'
/** An event of a pipeline as readers get it: plain data, and a number to come back to. */
export const LoggedEvent = Type.Object(
  {
    id: Type.Integer({ description: 'Counts up from 1 within the pipeline.' }),
    name: Type.String(),
    pipeline: Type.String(),
    time: Type.Number({ description: 'Milliseconds since 1970.' }),
    fields: Type.Record(Type.String(), Type.Unknown(), { description: 'What `docs/events.md` says of each event.' }),
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
/** The last events of a pipeline, for readers that come back or were slow. */
export class EventLog {
  /** The number of the newest event; 0 before the first. */
  last = 0
  /** Tells this log from one of an earlier process, whose numbers mean other events. */
  #epoch = randomBytes(6).toString('hex')
  #kept = []
  #most
  #showRecords
  #listeners = new Set()
  constructor(most, showRecords) {
    this.#most = most
    this.#showRecords = showRecords
  }
  add({ name, pipeline, time, ...fields }) {
    const event = { id: ++this.last, name, pipeline, time, fields: this.#plain(fields) }
    this.#kept.push(event)
    if (this.#kept.length > this.#most) this.#kept.shift()
    for (const listener of this.#listeners) listener(event)
  }
  /** Events after the one with this number, and how many of them are not kept any more. */
  after(id) {
    const events = this.#kept.slice(Math.max(0, this.#kept.length - (this.last - id)))
    return { events, missed: Math.max(0, this.last - id - events.length) }
  }
  /** An event's number as readers send it back. */
  idOf(id) {
    return `${this.#epoch}-${id}`
  }
  /** The number that a reader sent back; 0 where it is of another log, or none. */
  numberOf(id) {
    const [epoch, number] = id.split('-')
    const value = Number(number)
    return epoch === this.#epoch && Number.isInteger(value) ? Math.min(this.last, Math.max(0, value)) : 0
  }
  /** @returns what ends the listening */
  listen(listener) {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
  #plain(fields) {
    const entries = Object.entries(fields).map(([key, value]) => {
      const isError = value instanceof Error || key === 'error' || key === 'cause'
      return [key, isError ? errorView(value, this.#showRecords) : value]
    })
    return Object.fromEntries(entries)
  }
}
