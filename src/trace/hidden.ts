import type { TraceEvent } from './event.ts'
import type { TraceRange, TraceRun, TraceSource } from './source.ts'

/** A source without what records hold: captured content, and the texts of errors, which may quote it. */
export class HiddenSource implements TraceSource {
  readonly #source: TraceSource

  constructor(source: TraceSource) {
    this.#source = source
  }

  runs(): Promise<readonly TraceRun[]> {
    return this.#source.runs()
  }

  async *read(range?: TraceRange): AsyncIterable<readonly TraceEvent[]> {
    for await (const block of this.#source.read(range)) yield block.map(hidden)
  }
}

function hidden({ content: _, error, ...event }: TraceEvent): TraceEvent {
  return error === undefined ? event : { ...event, error: { code: error.code, message: 'not shown' } }
}
