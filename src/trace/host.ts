import { viewMemory } from '../memory/memory.ts'
import { clearTimeout, setTimeout } from '../time.ts'
import type { FromTracer, Question, ToTracer, TracerTask } from './messages.ts'
import { Recent } from './recent.ts'
import type { TraceSink } from './sink.ts'
import { Tracer } from './tracer.ts'

/** Time between two looks at the rings: while events come, and while none do. */
const BUSY_MS = 5
const IDLE_MS = 25

/** Runs a tracer and answers messages, in a thread of its own or in that of the supervisor. */
export class TracerHost {
  readonly #tracer: Tracer
  readonly #recent: Recent
  readonly #tell: (message: FromTracer) => void
  #timer: NodeJS.Timeout | undefined
  /** Events go to the supervisor's thread, a batch at a time. */
  #subscriber: TraceSink | undefined
  #taken: (() => void) | undefined

  constructor({ memory, plan, recent }: TracerTask, tell: (message: FromTracer) => void) {
    this.#tracer = new Tracer(viewMemory(memory), plan)
    this.#recent = new Recent(recent)
    this.#tell = tell
    this.#tracer.add(this.#recent)
    this.#look()
  }

  take(message: ToTracer): void {
    switch (message.type) {
      case 'lifecycle':
        return this.#tracer.tell(message.facts)
      case 'subscribe':
        return this.#subscribe(message.isWanted)
      case 'taken':
        return this.#taken?.()
      case 'ask':
        return void this.#answer(message.what).then((answer) => this.#tell({ type: 'answer', id: message.id, answer }))
      default:
        return message satisfies never
    }
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  async #answer(what: Question): Promise<unknown> {
    switch (what.about) {
      case 'metrics':
        return this.#tracer.metrics()
      case 'recent':
        return this.#recent.traces(what.most)
      case 'trace':
        return this.#recent.trace(what.trace)
      case 'lifecycle':
        return this.#recent.lifecycle
      case 'flush':
        return this.#tracer.flush()
      default:
        return what satisfies never
    }
  }

  #subscribe(isWanted: boolean): void {
    if (isWanted === (this.#subscriber !== undefined)) return
    const before = this.#subscriber
    this.#subscriber = undefined
    if (!isWanted) return void this.#tracer.remove(before!)
    this.#subscriber = {
      name: 'subscribers',
      // One batch is on its way at a time: a subscriber that is slow has events dropped here, and not kept in its port.
      write: (events) =>
        new Promise((resolve) => {
          this.#taken = resolve
          this.#tell({ type: 'events', events })
        }),
    }
    this.#tracer.add(this.#subscriber)
  }

  #look(): void {
    const events = this.#tracer.drain()
    this.#timer = setTimeout(() => this.#look(), events > 0 ? BUSY_MS : IDLE_MS)
  }
}
