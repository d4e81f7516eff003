import { setTimeout } from '../time.ts'
import { BOOKS } from './books-tables.ts'
import type { Database } from './database.ts'
import type { Source } from './entry.ts'
import { ImportBusy } from './problem.ts'

/** The first half of the key of each lock; the source is the second. */
const RUN_LOCK = 7_113_003
const RETAKE_MS = 500

/**
 * One run at a time imports a source: an advisory lock, held by the session of a connection. The server lets go of it when
 * that connection ends, however the process ends. Where it breaks before that, the lock is taken again.
 */
export class RunLock {
  readonly #database: Database
  readonly #source: Source
  readonly #onLost: () => void
  #isOver = false

  private constructor(database: Database, source: Source, onLost: () => void) {
    this.#database = database
    this.#source = source
    this.#onLost = onLost
  }

  /**
   * @param onLost called where somebody else took the lock while the connection was broken
   * @throws ImportBusy where another run has it
   */
  static async take(database: Database, source: Source, onLost: () => void): Promise<RunLock> {
    const lock = new RunLock(database, source, onLost)
    if (!(await lock.#try())) throw new ImportBusy(await busyText(database, source))
    return lock
  }

  /** To be called when the connection broke. */
  retake(): void {
    if (this.#isOver) return
    void this.#retake()
  }

  async #retake(): Promise<void> {
    try {
      if (!(await this.#try()) && !this.#isOver) this.#onLost()
    } catch {
      setTimeout(() => this.retake(), RETAKE_MS).unref()
    }
  }

  release(): void {
    this.#isOver = true
  }

  async #try(): Promise<boolean> {
    const [taken] = await this.#database.query<{ taken: boolean }>('select pg_try_advisory_lock($1, $2) as taken', [
      RUN_LOCK,
      this.#source.id,
    ])
    return taken!.taken
  }
}

async function busyText(database: Database, { id, name }: Source): Promise<string> {
  const [run] = await database.query<{ id: number; started: string }>(
    `select id, to_char(started at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') as started from ${BOOKS}.runs
    where source = $1 and finished is null order by id desc limit 1`,
    [id],
  )
  const which = run === undefined ? '' : `: run ${run.id}, since ${run.started} UTC`
  return `Another import of the source ${JSON.stringify(name)} is running${which}. Nothing was imported.`
}
