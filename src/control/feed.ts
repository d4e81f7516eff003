import { liveOf } from './resources/live.ts'
import { message, type Subscriber } from './subscriber.ts'
import type { Watched } from './watched.ts'
import { clearInterval, setImmediate, setInterval } from '../time.ts'

const HEARTBEAT_MS = 15_000

/** The subscribers of one pipeline. Those of one rate share a timer, and the text of each snapshot. */
export class Feed {
  readonly #watched: Watched
  readonly #groups = new Map<number, { readonly subscribers: Set<Subscriber>; readonly timer: NodeJS.Timeout }>()
  readonly #all = new Set<Subscriber>()
  #unlisten: (() => void) | undefined
  #heartbeat: NodeJS.Timeout | undefined
  #isTelling = false

  constructor(watched: Watched) {
    this.#watched = watched
  }

  get size(): number {
    return this.#all.size
  }

  /** @param everyMs undefined: no snapshots. @returns what ends it */
  add(subscriber: Subscriber, everyMs: number | undefined): () => void {
    this.#all.add(subscriber)
    this.#unlisten ??= this.#watched.events.listen(() => this.#tellSoon())
    this.#heartbeat ??= setInterval(() => this.#beat(), HEARTBEAT_MS).unref()
    subscriber.sendEvents()
    if (everyMs !== undefined) {
      this.#group(everyMs).subscribers.add(subscriber)
      subscriber.send(this.#snapshot())
    }
    return () => this.#remove(subscriber, everyMs)
  }

  /** Ends all subscribers. */
  close(): void {
    for (const subscriber of this.#all) subscriber.end()
  }

  #group(everyMs: number): { readonly subscribers: Set<Subscriber> } {
    const known = this.#groups.get(everyMs)
    if (known !== undefined) return known
    const subscribers = new Set<Subscriber>()
    const timer = setInterval(() => {
      if ([...subscribers].every((subscriber) => subscriber.isUnread())) return
      const text = this.#snapshot()
      for (const subscriber of subscribers) subscriber.send(text)
    }, everyMs)
    const group = { subscribers, timer: timer.unref() }
    this.#groups.set(everyMs, group)
    return group
  }

  #remove(subscriber: Subscriber, everyMs: number | undefined): void {
    this.#all.delete(subscriber)
    const group = everyMs === undefined ? undefined : this.#groups.get(everyMs)
    group?.subscribers.delete(subscriber)
    if (group?.subscribers.size === 0) {
      clearInterval(group.timer)
      this.#groups.delete(everyMs!)
    }
    if (this.#all.size > 0) return
    this.#unlisten?.()
    this.#unlisten = undefined
    clearInterval(this.#heartbeat)
    this.#heartbeat = undefined
  }

  #snapshot(): string {
    return message('snapshot', liveOf(this.#watched))
  }

  /** A storm of events is written in one go. */
  #tellSoon(): void {
    if (this.#isTelling) return
    this.#isTelling = true
    setImmediate(() => {
      this.#isTelling = false
      for (const subscriber of this.#all) subscriber.sendEvents()
    })
  }

  #beat(): void {
    for (const subscriber of this.#all) subscriber.send(': still here\n\n')
  }
}
