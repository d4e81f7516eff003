import { finished } from 'node:stream/promises'
import type Postgres from 'postgres'
import type { Sql } from 'postgres'
import { errorText, MillraceError } from '../../../errors.ts'
import { wallMs } from '../../../time.ts'
import type { TraceEvent } from '../../event.ts'
import type { TraceRange, TraceRun } from '../../source.ts'
import type { StoreStats, TraceStore } from '../store.ts'
import { WriteQueue } from '../write-queue.ts'
import { copyArray, copyLine, copyValue } from './copy-text.ts'
import { dayOf, MAKE_SCHEMA, makeDay, partitionOf, SCHEMA } from './postgres-schema.ts'
import { eventRow, TransferRows } from './rows.ts'

export interface PostgresStoreOptions {
  /** Events of one COPY. Default: 4,096. */
  readonly batch?: number
  /** Longest time until events are written. Default: 1,000. */
  readonly flushMs?: number
  /** Events that wait for the server at most. Default: 131,072. */
  readonly maxPending?: number
  /** Days that are kept; older partitions are dropped when a new one is made. Default: 30. */
  readonly days?: number
}

const READ_ROWS = 2_000

/** A PostgreSQL server, over the package `postgres`: one COPY for a batch, one partition for a day. */
export class PostgresStore implements TraceStore {
  readonly #sql: Sql
  readonly #queue: WriteQueue
  readonly #transfers = new TransferRows()
  readonly #days: number
  #madeDays = new Set<string>()

  private constructor(
    sql: Sql,
    { batch = 4_096, flushMs = 1_000, maxPending = 131_072, days = 30 }: PostgresStoreOptions,
  ) {
    this.#sql = sql
    this.#days = days
    this.#queue = new WriteQueue((events) => this.#save(events), { batch, flushMs, maxPending })
  }

  /** @throws TRACE_STORE_NOT_INSTALLED, TRACE_STORE_UNUSABLE */
  static async open(url: string, options: PostgresStoreOptions = {}): Promise<PostgresStore> {
    const postgres = await client()
    const sql = postgres(url, {
      max: 2,
      connect_timeout: 10,
      fetch_types: false,
      connection: { application_name: 'millrace trace', TimeZone: 'UTC' },
      onnotice: () => undefined,
    })
    try {
      await sql.begin((inside) => inside.unsafe(MAKE_SCHEMA))
      return new PostgresStore(sql, options)
    } catch (cause) {
      await sql.end({ timeout: 1 }).catch(() => undefined)
      throw new MillraceError(
        'TRACE_STORE_UNUSABLE',
        { store: addressOf(url), reason: errorText(cause).message },
        { cause },
      )
    }
  }

  async begin(run: TraceRun): Promise<void> {
    this.#learn(run)
    const graph = run.graph === undefined ? undefined : JSON.stringify(run.graph)
    try {
      await this.#sql.unsafe(
        `insert into ${SCHEMA}.runs values ($1, $2, $3::float8, $4::text::jsonb) on conflict (run) do update set graph = excluded.graph`,
        [run.run, run.pipeline, run.startedAt, graph ?? null],
      )
    } catch (error) {
      this.#queue.fail(error)
    }
  }

  #learn({ run, graph }: TraceRun): void {
    for (const [index, { from }] of graph?.edges.entries() ?? []) this.#transfers.learn(run, index, from)
  }

  write(events: readonly TraceEvent[]): void {
    this.#queue.write(events)
  }

  async #save(events: readonly TraceEvent[]): Promise<number> {
    await this.#makeDays(new Set(events.map(({ handedOffAt }) => dayOf(handedOffAt))))
    const rows = events.map((event) => {
      const { run, sequence, at, pipeline, kind, node, outcome, serviceMs, error, traces, json } = eventRow(event)
      const values = [dayOf(at), run, sequence, at, pipeline, kind, node, outcome, serviceMs, error].map(copyValue)
      return copyLine([...values, copyArray(traces), copyValue(json)])
    })
    const transfers = events.flatMap((event) =>
      this.#transfers
        .of(event)
        .map((row) => copyLine([dayOf(event.handedOffAt), ...Object.values(row)].map(copyValue))),
    )
    const texts = [rows.join(''), transfers.join('')]
    // Both or none of them: what the view counts is what the events tell.
    await this.#sql.begin(async (inside) => {
      await copy(inside, 'events', texts[0]!)
      if (transfers.length > 0) await copy(inside, 'transfers', texts[1]!)
    })
    return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  }

  async #makeDays(days: ReadonlySet<string>): Promise<void> {
    for (const day of days) {
      if (this.#madeDays.has(day)) continue
      await this.expire()
      await this.#sql.begin((inside) => inside.unsafe(`select pg_advisory_xact_lock(7236837164105); ${makeDay(day)}`))
      this.#madeDays.add(day)
    }
  }

  /** Drops the partitions of days that are no longer kept. */
  async expire(now: number = wallMs()): Promise<void> {
    const oldest = dayOf(now - this.#days * 86_400_000)
    for (const table of ['events', 'transfers']) {
      const found = await this.#sql.unsafe<{ name: string }[]>(
        'select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = $1::regclass',
        [`${SCHEMA}.${table}`],
      )
      for (const { name } of found)
        if (name < partitionOf(table, oldest)) await this.#sql.unsafe(`drop table if exists ${SCHEMA}.${name}`)
    }
    this.#madeDays = new Set([...this.#madeDays].filter((day) => day >= oldest))
  }

  async runs(): Promise<readonly TraceRun[]> {
    const rows = await this.#sql.unsafe<{ run: string; pipeline: string; started_at: number; graph: string | null }[]>(
      `select run, pipeline, started_at, graph::text as graph from ${SCHEMA}.runs order by started_at, run`,
    )
    return rows.map(({ run, pipeline, started_at: startedAt, graph }) => ({
      pipeline,
      run,
      startedAt,
      ...(graph === null ? {} : { graph: JSON.parse(graph) as NonNullable<TraceRun['graph']> }),
    }))
  }

  async *read({ pipeline, run, from, to, traces }: TraceRange = {}): AsyncIterable<readonly TraceEvent[]> {
    await this.#queue.flush()
    const asked = [
      [pipeline, (n: number) => `pipeline = $${n}`],
      [run, (n: number) => `run = $${n}`],
      [from, (n: number) => `at >= $${n}::float8`],
      [to, (n: number) => `at < $${n}::float8`],
      [traces && copyArray([...traces]), (n: number) => `traces && $${n}::text[]`],
    ] as const
    const given = asked.filter(([value]) => value !== undefined)
    const where = given.length === 0 ? '' : ` where ${given.map(([, text], i) => text(i + 1)).join(' and ')}`
    const query = this.#sql.unsafe<{ event: string }[]>(
      `select event from ${SCHEMA}.events${where}`,
      given.map(([value]) => value!),
    )
    for await (const rows of query.cursor(READ_ROWS))
      if (rows.length > 0) yield rows.map(({ event }) => JSON.parse(event) as TraceEvent)
  }

  flush(): Promise<void> {
    return this.#queue.flush()
  }

  stats(): StoreStats {
    return this.#queue.stats
  }

  async close(): Promise<void> {
    await this.#queue.flush()
    await this.#sql.end({ timeout: 5 })
  }
}

/** Sends the lines of a COPY. What the server refuses behind the last of them, the client tells the query alone. */
async function copy(sql: Pick<Sql, 'unsafe'>, table: string, lines: string): Promise<void> {
  const query = sql.unsafe(`copy ${SCHEMA}.${table} from stdin`)
  const refusable = query as unknown as { reject: (error: unknown) => void }
  const { reject: refuse } = refusable
  const refused = new Promise<never>((_, reject) => {
    refusable.reject = (error) => {
      refuse(error)
      reject(error)
    }
  })
  const send = async (): Promise<void> => {
    const stream = await query.writable()
    stream.end(lines)
    await finished(stream)
  }
  await Promise.race([refused, send()])
}

async function client(): Promise<typeof Postgres> {
  try {
    return (await import('postgres')).default
  } catch (cause) {
    throw new MillraceError('TRACE_STORE_NOT_INSTALLED', { store: 'postgres', package: 'postgres' }, { cause })
  }
}

/** An address without its password. */
function addressOf(url: string): string {
  try {
    const { hostname, port, pathname } = new URL(url)
    return `${hostname}${port === '' ? '' : `:${port}`}${pathname}`
  } catch {
    return 'postgres'
  }
}
