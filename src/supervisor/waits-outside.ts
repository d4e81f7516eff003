import { wallMs } from '../time.ts'
import type { Events } from './events.ts'

/** A worker that waits for something outside the pipeline: a server that is away, say. */
export interface Degradation {
  readonly node: string
  readonly worker: number
  readonly reason: string
  /** Since when, in ms since 1970. */
  readonly since: number
}

/** Which workers wait for something outside, as they say themselves. */
export class WaitsOutside {
  readonly #events: Events
  readonly #open = new Map<string, Degradation>()

  constructor(events: Events) {
    this.#events = events
  }

  list(): readonly Degradation[] {
    return [...this.#open.values()]
  }

  /** @param reason undefined: it waits no more */
  tell(
    place: { readonly node: string; readonly worker: number; readonly epoch: number },
    reason: string | undefined,
  ): void {
    const { node, worker } = place
    const key = `${node} ${worker}`
    const isOpen = this.#open.has(key)
    if (reason === undefined) {
      if (this.#open.delete(key)) this.#events.emit('worker.recovered', place)
      return
    }
    if (isOpen) return
    this.#open.set(key, { node, worker, reason, since: wallMs() })
    this.#events.emit('worker.degraded', { ...place, reason })
  }

  /** Its thread is gone, and with it what it waited for. */
  forget({ node, worker }: { readonly node: string; readonly worker: number }): void {
    this.#open.delete(`${node} ${worker}`)
  }
}
