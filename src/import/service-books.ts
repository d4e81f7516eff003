import { join, resolve } from 'node:path'
import { openBooks } from './books-tables.ts'
import { type Database, openDatabase } from './database.ts'
import { readDeclared } from './declared.ts'
import { lockEmbedded } from './embedded-lock.ts'
import { findSource } from './entry.ts'
import { type ImportRun, listRuns } from './history.ts'
import { type ImportKind, listKinds, pauseKind } from './kind-history.ts'
import type { ImportOptions } from './options.ts'

const SHOWN_RUNS = 20

/** What the books say of one directory. */
export interface ServiceHistory {
  readonly kinds: readonly ImportKind[]
  /** The last runs, newest first. */
  readonly runs: readonly ImportRun[]
}

/** The books, as a service asks them between its runs. */
export class ServiceBooks {
  readonly #options: Pick<ImportOptions, 'directory' | 'to' | 'dataDirectory'>
  /** As it was given or declared. */
  readonly source: string | undefined

  /** @throws ImportProblem where the declaration cannot be used */
  constructor(options: Pick<ImportOptions, 'directory' | 'to' | 'dataDirectory' | 'source' | 'declared'>) {
    this.#options = options
    this.source = options.source ?? (options.declared ?? readDeclared(options.directory)).source
  }

  /** @throws ImportProblem where the database cannot be used */
  async read(): Promise<ServiceHistory> {
    const { directory, to, dataDirectory } = this.#options
    const name = this.source
    const whose = name === undefined ? { directory } : { source: name }
    const where = { to, ...(dataDirectory === undefined ? {} : { dataDirectory }) }
    const runs = await listRuns({ ...where, ...whose, limit: SHOWN_RUNS })
    return { runs, kinds: runs.length === 0 ? [] : await this.#asked(listKinds) }
  }

  /** Writes which kinds are paused. */
  async pause(kinds: ReadonlyMap<string, boolean>): Promise<void> {
    if (kinds.size === 0) return
    await this.#asked(async (database, source) => {
      for (const [kind, isPaused] of kinds) await pauseKind(database, source, kind, isPaused)
      return []
    })
  }

  async #asked<T>(ask: (database: Database, source: number) => Promise<T[]>): Promise<T[]> {
    const { directory, to, dataDirectory } = this.#options
    const embedded = resolve(dataDirectory ?? join('.millrace', 'import'))
    const unlock = to === undefined ? lockEmbedded(embedded) : () => undefined
    try {
      const database = await openDatabase(to, join(embedded, 'database'))
      try {
        await database.transaction(() => openBooks(database))
        const name = this.source
        const source = await findSource(database, {
          source: { name: name ?? '', isGiven: name !== undefined },
          directory,
        })
        return source === undefined ? [] : await ask(database, source.id)
      } finally {
        await database.close()
      }
    } finally {
      unlock()
    }
  }
}
