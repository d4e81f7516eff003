import type { ServerResponse } from 'node:http'
import { printable } from '../shown.ts'
import type { EventLog } from './event-log.ts'

/** A subscriber with so much unread is slow: it gets no more until it has read. */
const MOST_UNREAD_BYTES = 262_144
/** Events that are written between two looks at how much is unread. */
const EVENTS_AT_ONCE = 100

/**
 * One subscriber of server-sent events. What a slow one has not read is never kept for it: it skips ahead to the newest snapshot,
 * and takes up events again where it was, as far back as the log reaches.
 */
export class Subscriber {
  readonly #response: ServerResponse
  readonly #log: EventLog
  /** The event that was written last; undefined for a subscriber that wants none. */
  #cursor: number | undefined
  #isSlow = false

  /** @param cursor the event that it has seen last; undefined: it wants none */
  constructor(response: ServerResponse, log: EventLog, cursor: number | undefined) {
    this.#response = response
    this.#log = log
    this.#cursor = cursor
    response.on('drain', () => {
      this.#isSlow = false
      this.sendEvents()
    })
  }

  /** Whether it is slow: it has more to read than is kept for anyone. */
  isUnread(): boolean {
    if (this.#response.writableLength > MOST_UNREAD_BYTES) this.#isSlow = true
    return this.#isSlow
  }

  /** Something that is only true now: a subscriber that is slow goes without it. */
  send(text: string): void {
    if (this.isUnread()) return
    this.#response.write(text)
  }

  /** The events since the last ones. */
  sendEvents(): void {
    while (this.#cursor !== undefined && this.#cursor < this.#log.last && !this.isUnread()) {
      const { events, missed } = this.#log.after(this.#cursor)
      if (missed > 0) this.#response.write(message('gap', { missed }))
      for (const event of events.slice(0, EVENTS_AT_ONCE)) {
        this.#cursor = event.id
        this.#response.write(message('event', event, this.#log.idOf(event.id)))
      }
    }
  }

  end(): void {
    this.#response.end()
  }
}

/** One message in the format of server-sent events. */
export function message(name: string, data: unknown, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${printable(JSON.stringify(data))}\n\n`
}
