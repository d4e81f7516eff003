import { liveOf } from './resources/live.ts'
import { message, type Reader } from './reader.ts'
import type { Watched } from './watched.ts'
import { clearInterval, setImmediate, setInterval } from '../time.ts'

const HEARTBEAT_MS = 15_000

/** The readers of one pipeline. Those of one rate share a timer, and the text of each snapshot. */
export class Feed {
  readonly #watched: Watched
  readonly #groups = new Map<number, { readonly readers: Set<Reader>; readonly timer: NodeJS.Timeout }>()
  readonly #all = new Set<Reader>()
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
  add(reader: Reader, everyMs: number | undefined): () => void {
    this.#all.add(reader)
    this.#unlisten ??= this.#watched.events.listen(() => this.#tellSoon())
    this.#heartbeat ??= setInterval(() => this.#beat(), HEARTBEAT_MS).unref()
    reader.sendEvents()
    if (everyMs !== undefined) {
      this.#group(everyMs).readers.add(reader)
      reader.send(this.#snapshot())
    }
    return () => this.#remove(reader, everyMs)
  }

  /** Ends all readers. */
  close(): void {
    for (const reader of this.#all) reader.end()
  }

  #group(everyMs: number): { readonly readers: Set<Reader> } {
    const known = this.#groups.get(everyMs)
    if (known !== undefined) return known
    const readers = new Set<Reader>()
    const timer = setInterval(() => {
      if ([...readers].every((reader) => reader.isUnread())) return
      const text = this.#snapshot()
      for (const reader of readers) reader.send(text)
    }, everyMs)
    const group = { readers, timer: timer.unref() }
    this.#groups.set(everyMs, group)
    return group
  }

  #remove(reader: Reader, everyMs: number | undefined): void {
    this.#all.delete(reader)
    const group = everyMs === undefined ? undefined : this.#groups.get(everyMs)
    group?.readers.delete(reader)
    if (group?.readers.size === 0) {
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
      for (const reader of this.#all) reader.sendEvents()
    })
  }

  #beat(): void {
    for (const reader of this.#all) reader.send(': still here\n\n')
  }
}
