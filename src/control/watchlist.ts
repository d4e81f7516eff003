import { MillraceError } from '../errors.ts'
import type { Pipeline } from '../supervisor/pipeline.ts'
import { Watched, type WatchedOptions } from './watched.ts'

/** Told of what comes and goes. */
interface WatchlistListener {
  added(watched: Watched): void
  removed(watched: Watched): void
}

/** The pipelines that an API shows, by name. */
export class Watchlist {
  readonly #options: WatchedOptions
  readonly #watched = new Map<string, Watched>()
  readonly #listeners = new Set<WatchlistListener>()

  constructor(options: WatchedOptions) {
    this.#options = options
  }

  get(name: string): Watched | undefined {
    return this.#watched.get(name)
  }

  has(name: string): boolean {
    return this.#watched.has(name)
  }

  values(): Iterable<Watched> {
    return this.#watched.values()
  }

  /** @throws PIPELINE_NAME_TAKEN */
  add(name: string, pipeline: Pipeline | Promise<Pipeline>): void {
    if (this.#watched.has(name)) throw new MillraceError('PIPELINE_NAME_TAKEN', { pipeline: name })
    const watched = new Watched(name, pipeline, this.#options)
    this.#watched.set(name, watched)
    for (const listener of this.#listeners) listener.added(watched)
  }

  /** It goes on, and is shown no more. @throws PIPELINE_UNKNOWN */
  remove(name: string): void {
    const watched = this.#watched.get(name)
    if (watched === undefined) throw new MillraceError('PIPELINE_UNKNOWN', { pipeline: name })
    this.#watched.delete(name)
    watched.close()
    for (const listener of this.#listeners) listener.removed(watched)
  }

  /** Those that are there count as added. */
  listen(listener: WatchlistListener): void {
    this.#listeners.add(listener)
    for (const watched of this.#watched.values()) listener.added(watched)
  }
}
