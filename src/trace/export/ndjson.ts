import type { TraceEvent } from '../event.ts'

/** Events as lines of JSON, each with its line end. */
export function toNdjson(events: readonly TraceEvent[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('')
}
