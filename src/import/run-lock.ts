import { sleep } from '../time.ts'
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
  /** Of the session that has the lock. */
  #pid = 0
  #isRetaking = false
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
    if (this.#isOver || this.#isRetaking) return
    this.#isRetaking = true
    void this.#retake().finally(() => (this.#isRetaking = false))
  }

  /**
   * Looks whether this run has the lock still: what it has written may be done before it learns that its connection broke.
   * @throws where the database cannot be asked
   */
  async confirm(): Promise<void> {
    if (await this.#try()) return
    // The server may learn late that the connection broke: until it does, its session keeps the lock for this run.
    if ((await this.#owner()) !== this.#pid) this.#lose()
  }

  async #retake(): Promise<void> {
    while (!this.#isOver) {
      try {
        if (await this.#try()) return
        if ((await this.#owner()) !== this.#pid) return this.#lose()
      } catch {
        // It is away still.
      }
      await sleep(RETAKE_MS)
    }
  }

  #lose(): void {
    if (!this.#isOver) this.#onLost()
  }

  release(): void {
    this.#isOver = true
  }

  async #try(): Promise<boolean> {
    const [taken] = await this.#database.query<{ isTaken: boolean; pid: number }>(
      'select pg_try_advisory_lock($1, $2) as "isTaken", pg_backend_pid() as pid',
      [RUN_LOCK, this.#source.id],
    )
    if (taken!.isTaken) this.#pid = taken!.pid
    return taken!.isTaken
  }

  async #owner(): Promise<number | undefined> {
    const [owner] = await this.#database.query<{ pid: number }>(
      `select pid from pg_locks where locktype = 'advisory' and classid = $1 and objid = $2 and objsubid = 2 and granted
        and database = (select oid from pg_database where datname = current_database())`,
      [RUN_LOCK, this.#source.id],
    )
    // Nobody has it any more: it is tried again.
    return owner?.pid ?? this.#pid
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
