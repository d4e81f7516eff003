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

function hidden(event: TraceEvent): TraceEvent {
  const { error } = event
  const { content: _, ...shown } = event
  return error === undefined ? shown : { ...shown, error: { code: error.code, message: 'not shown' } }
}
