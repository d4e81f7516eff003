import { liveOf } from './live.js'
import { message } from './reader.js'
const HEARTBEAT_MS = 15_000
/** The readers of one pipeline. Those of one rate share a timer, and the text of each snapshot. */
export class Feed {
  #watched
  #groups = new Map()
  #all = new Set()
  #unlisten
  #heartbeat
  #isTelling = false
  constructor(watched) {
    this.#watched = watched
  }
  get size() {
    return this.#all.size
  }
  /** @param everyMs undefined: no snapshots. @returns what ends it */
  add(reader, everyMs) {
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
  close() {
    for (const reader of this.#all) reader.end()
  }
  #group(everyMs) {
    const known = this.#groups.get(everyMs)
    if (known !== undefined) return known
    const readers = new Set()
    const timer = setInterval(() => {
      const text = this.#snapshot()
      for (const reader of readers) reader.send(text)
    }, everyMs)
    const group = { readers, timer: timer.unref() }
    this.#groups.set(everyMs, group)
    return group
  }
  #remove(reader, everyMs) {
    this.#all.delete(reader)
    const group = everyMs === undefined ? undefined : this.#groups.get(everyMs)
    group?.readers.delete(reader)
    if (group?.readers.size === 0) {
      clearInterval(group.timer)
      this.#groups.delete(everyMs)
    }
    if (this.#all.size > 0) return
    this.#unlisten?.()
    this.#unlisten = undefined
    clearInterval(this.#heartbeat)
    this.#heartbeat = undefined
  }
  #snapshot() {
    return message('snapshot', liveOf(this.#watched))
  }
  /** A storm of events is written in one go. */
  #tellSoon() {
    if (this.#isTelling) return
    this.#isTelling = true
    setImmediate(() => {
      this.#isTelling = false
      for (const reader of this.#all) reader.sendEvents()
    })
  }
  #beat() {
    for (const reader of this.#all) reader.send(': still here\n\n')
  }
}
