import type { GraphData } from '../graph/types.ts'
import type { TraceEvent } from './event.ts'
import { isInRange, type TraceRange, type TraceRun, type TraceSource } from './source.ts'
import type { Tracing } from './tracing.ts'

/** The events that the tracer of a running pipeline has in memory: its last traces, and what was told of workers. */
export class LiveSource implements TraceSource {
  readonly #tracing: Tracing
  readonly #graph: GraphData

  constructor(tracing: Tracing, graph: GraphData) {
    this.#tracing = tracing
    this.#graph = graph
  }

  runs(): Promise<readonly TraceRun[]> {
    return Promise.resolve([this.#tracing.run(this.#graph)])
  }

  async *read(range: TraceRange = {}): AsyncIterable<readonly TraceEvent[]> {
    const { run } = this.#tracing.run(this.#graph)
    if (range.run !== undefined && range.run !== run) return
    const [traces, lifecycle] = await Promise.all([this.#tracing.recent(), this.#tracing.lifecycle()])
    // A batch counts for several traces. What came from another thread was copied, so its number tells it, not the object.
    const found = new Map<number, TraceEvent>()
    for (const { events } of traces) for (const event of events) found.set(event.sequence, event)
    for (const event of lifecycle) found.set(event.sequence, event)
    yield [...found.values()].filter((event) => isInRange(event, range))
  }
}
