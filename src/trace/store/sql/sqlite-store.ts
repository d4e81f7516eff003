import { errorText, MillraceError } from '../../../errors.ts'
import { wallMs } from '../../../time.ts'
import type { TraceEvent } from '../../event.ts'
import type { TraceRange, TraceRun } from '../../source.ts'
import type { StoreStats, TraceStore } from '../store.ts'
import { WriteQueue } from '../write-queue.ts'
import { eventRow, TransferRows } from './rows.ts'
import { openSqlite, type Sqlite, type SqliteStatement, type SqliteValue } from './sqlite.ts'
import { MAKE_TABLES } from './sqlite-schema.ts'

export interface SqliteStoreOptions {
  /** Events of one transaction: what a crash may lose. Default: 1,000. */
  readonly batch?: number
  /** Longest time until events are written. Default: 1,000. */
  readonly flushMs?: number
  /** Events that wait at most. Default: 131,072. */
  readonly maxPending?: number
  /** Events that are older go, an hour's at a time. Default: 30 days. */
  readonly maxAgeMs?: number
}

const READ_ROWS = 2_000
const EXPIRE_EVERY_MS = 3_600_000

/** A SQLite file. */
export class SqliteStore implements TraceStore {
  readonly #database: Sqlite
  readonly #queue: WriteQueue
  readonly #transfers = new TransferRows()
  readonly #maxAgeMs: number
  readonly #insert: Record<'event' | 'link' | 'transfer', SqliteStatement>
  #expiredAt = 0

  private constructor(database: Sqlite, options: SqliteStoreOptions) {
    const { batch = 1_000, flushMs = 1_000, maxPending = 131_072, maxAgeMs = 30 * 86_400_000 } = options
    this.#database = database
    this.#maxAgeMs = maxAgeMs
    this.#insert = {
      event: database.prepare(
        'insert into events (run, sequence, at, pipeline, kind, node, outcome, service_ms, error, event) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      ),
      link: database.prepare('insert or ignore into links values (?, ?)'),
      transfer: database.prepare('insert into transfers values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    }
    this.#queue = new WriteQueue((events) => this.#save(events), { batch, flushMs, maxPending })
  }

  /** @throws TRACE_STORE_NOT_INSTALLED, TRACE_STORE_UNUSABLE */
  static async open(path: string, options: SqliteStoreOptions = {}): Promise<SqliteStore> {
    let database: Sqlite | undefined
    try {
      database = await openSqlite(path)
      database.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma busy_timeout = 5000')
      database.exec(MAKE_TABLES)
      database.function('now', { deterministic: false }, () => wallMs())
      database.function('interval_ms', { deterministic: true }, (text: string) => intervalMs(text))
      return new SqliteStore(database, options)
    } catch (cause) {
      database?.close()
      if (cause instanceof MillraceError) throw cause
      throw new MillraceError('TRACE_STORE_UNUSABLE', { store: path, reason: errorText(cause).message }, { cause })
    }
  }

  begin(run: TraceRun): Promise<void> {
    for (const [index, { from }] of run.graph?.edges.entries() ?? []) this.#transfers.learn(run.run, index, from)
    try {
      const graph = run.graph === undefined ? null : JSON.stringify(run.graph)
      this.#database
        .prepare('insert into runs values (?, ?, ?, ?) on conflict (run) do update set graph = excluded.graph')
        .run(run.run, run.pipeline, run.startedAt, graph)
    } catch (error) {
      this.#queue.fail(error)
    }
    return Promise.resolve()
  }

  write(events: readonly TraceEvent[]): void {
    this.#queue.write(events)
  }

  // oxlint-disable-next-line require-await -- SQLite answers at once; what it refuses is a rejection
  async #save(events: readonly TraceEvent[]): Promise<number> {
    let bytes = 0
    this.#database.exec('begin')
    try {
      this.#expire()
      for (const event of events) bytes += this.#saveOne(event)
      this.#database.exec('commit')
    } catch (error) {
      this.#database.exec('rollback')
      throw error
    }
    return bytes
  }

  #saveOne(event: TraceEvent): number {
    const { run, sequence, at, pipeline, kind, node, outcome, serviceMs, error = null, traces, json } = eventRow(event)
    const { lastInsertRowid } = this.#insert.event.run(
      run,
      sequence,
      at,
      pipeline,
      kind,
      node,
      outcome,
      serviceMs,
      error,
      json,
    )
    for (const trace of traces) this.#insert.link.run(trace, lastInsertRowid)
    for (const row of this.#transfers.of(event)) this.#insert.transfer.run(...(Object.values(row) as SqliteValue[]))
    return json.length
  }

  #expire(): void {
    const now = wallMs()
    if (now - this.#expiredAt < EXPIRE_EVERY_MS) return
    this.#expiredAt = now
    const oldest = now - this.#maxAgeMs
    this.#database.prepare('delete from links where event in (select id from events where at < ?)').run(oldest)
    this.#database.prepare('delete from events where at < ?').run(oldest)
    this.#database.prepare('delete from transfers where at < ?').run(oldest)
  }

  runs(): Promise<readonly TraceRun[]> {
    const rows = this.#database.prepare('select * from runs order by started_at, run').all() as RunRow[]
    return Promise.resolve(
      rows.map(({ run, pipeline, started_at: startedAt, graph }) => ({
        pipeline,
        run,
        startedAt,
        ...(graph === null ? {} : { graph: JSON.parse(graph) as NonNullable<TraceRun['graph']> }),
      })),
    )
  }

  async *read({ pipeline, run, from, to, traces }: TraceRange = {}): AsyncIterable<readonly TraceEvent[]> {
    await this.#queue.flush()
    const conditions = ['e.id > ?']
    const values: SqliteValue[] = []
    const ask = (condition: string, value: SqliteValue | undefined): void => {
      if (value === undefined) return
      conditions.push(condition)
      values.push(value)
    }
    ask('e.pipeline = ?', pipeline)
    ask('e.run = ?', run)
    ask('e.at >= ?', from)
    ask('e.at < ?', to)
    ask(
      'e.id in (select event from links where trace in (select value from json_each(?)))',
      traces && JSON.stringify([...traces]),
    )
    const query = this.#database.prepare(
      `select e.id, e.event from events e where ${conditions.join(' and ')} order by e.id limit ${READ_ROWS}`,
    )
    for (let last = 0; ;) {
      const rows = query.all(last, ...values) as { id: number; event: string }[]
      if (rows.length === 0) return
      last = rows.at(-1)!.id
      yield rows.map(({ event }) => JSON.parse(event) as TraceEvent)
    }
  }

  /** Any question in SQL. `interval '1 hour'`, which SQLite does not know, is taken as PostgreSQL has it. */
  query(sql: string): unknown[] {
    return this.#database
      .prepare(sql.replaceAll(/\binterval\s+('[^']*')/gi, 'interval_ms($1)').replace(/;\s*$/, ''))
      .all()
  }

  flush(): Promise<void> {
    return this.#queue.flush()
  }

  stats(): StoreStats {
    return this.#queue.stats
  }

  async close(): Promise<void> {
    await this.#queue.flush()
    this.#database.close()
  }
}

interface RunRow {
  readonly run: string
  readonly pipeline: string
  readonly started_at: number
  readonly graph: string | null
}

const UNITS: Readonly<Record<string, number>> = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
}

function intervalMs(text: string): number | null {
  const found = /^\s*([\d.]+)\s+(second|minute|hour|day|week)s?\s*$/i.exec(text)
  return found === null ? null : Number(found[1]) * UNITS[found[2]!.toLowerCase()]!
}
