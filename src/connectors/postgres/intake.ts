import { errorText } from '../../errors.ts'
import type { SetupContext } from '../../graph/types.ts'
import { clearTimeout, setTimeout } from '../../time.ts'
import { Backoff, untilConfirmed } from '../core/backoff.ts'
import type { Feed } from '../core/feed.ts'
import type { MessageIntake, QueueOptions } from '../core/queue.ts'
import type { MessageEnds } from '../core/ends.ts'
import { PostgresLink, isTableGone, type DatabaseTable } from './link.ts'
import type { PostgresMessage, PostgresReceipt } from './message.ts'
import { forgetDone, makeParcelTable } from './parcels.ts'

/** Options of `postgresSource` with their defaults. */
interface PostgresIntakeOptions<M extends PostgresMessage> extends DatabaseTable, QueueOptions<M> {
  readonly leaseMs: number
  readonly lookMs: number
  readonly channel?: string
  /** The table is one between two parts (`parcels.ts`): rows that are done stay so long, without their bodies. */
  readonly keptMs?: number
}

/**
 * One worker's side of a table that is a queue. A message that is taken is leased: it is due again later. So a process that is killed
 * holds no lock, and what it had comes to others when its leases end.
 */
export class PostgresIntake<M extends PostgresMessage = PostgresMessage> implements MessageIntake<PostgresReceipt> {
  readonly #options: PostgresIntakeOptions<M>
  readonly #feed: Feed<M>
  readonly #database: PostgresLink
  readonly #make: (database: PostgresLink) => Promise<void>
  readonly #stopped = new AbortController()
  #onNews: (() => void) | undefined
  readonly keepMs: number

  private constructor(
    options: PostgresIntakeOptions<M>,
    feed: Feed<M>,
    database: PostgresLink,
    make: (database: PostgresLink) => Promise<void>,
  ) {
    this.#options = options
    this.#feed = feed
    this.#database = database
    this.#make = make
    this.keepMs = options.leaseMs / 2
  }

  /** @throws CONNECTOR_NOT_INSTALLED, CONNECTOR_UNREACHABLE, CONNECTOR_REFUSED */
  static async open<M extends PostgresMessage>(
    options: PostgresIntakeOptions<M>,
    feed: Feed<M>,
    context: SetupContext,
  ): Promise<PostgresIntake<M>> {
    const make = options.keptMs === undefined ? makeQueueTable : makeParcelTable
    return new PostgresIntake(options, feed, await PostgresLink.open(options, context, make), make)
  }

  async take(): Promise<void> {
    void this.#listen()
    const backoff = new Backoff(this.#feed.reach)
    for (let most = await this.#feed.ask(); most > 0; most = await this.#feed.ask()) {
      try {
        if ((await this.#lease(most)) === 0) await this.#news()
        backoff.reset()
      } catch (error) {
        if (!this.isPassing(error)) throw this.#database.refusal(error)
        if (isTableGone(error)) await this.#make(this.#database).catch(() => undefined)
        await backoff.pause(this.#stopped.signal)
      }
    }
  }

  halt(): void {
    this.#stopped.abort()
    this.#onNews?.()
  }

  async settle({ done, over, again }: MessageEnds<PostgresReceipt>): Promise<void> {
    const { sql, table } = this.#database
    const ended = [...done, ...over].map(({ id }) => id)
    const late = again.map(({ receipt }) => receipt.id)
    if (ended.length > 0)
      await this.#database.answerOf(
        this.#options.keptMs === undefined
          ? sql`delete from ${table} where id = any(${ended}::bigint[])`
          : sql`update ${table} set done_at = now(), due_at = 'infinity', body = '' where id = any(${ended}::bigint[])`,
      )
    if (late.length === 0) return
    const delays = again.map(({ delayMs }) => delayMs)
    await this.#database.answerOf(sql`
      update ${table} queue set due_at = now() + late.ms * interval '1 ms'
      from unnest(${late}::bigint[], ${delays}::float8[]) late (id, ms) where queue.id = late.id`)
  }

  /** Work may take longer than a lease. */
  keep(): void {
    const { sql, table } = this.#database
    const { keptMs } = this.#options
    if (keptMs !== undefined) forgetDone(this.#database, keptMs).catch(() => undefined)
    const held = [...this.#feed.held] as string[]
    if (held.length === 0) return
    sql`
      update ${table} set due_at = now() + ${this.#options.leaseMs}::float8 * interval '1 ms' where id = any(${held}::bigint[])
    `.catch(() => undefined)
  }

  isPassing(error: unknown): boolean {
    return isTableGone(error) || this.#database.isPassing(error)
  }

  close(): Promise<void> {
    return this.#database.close()
  }

  /** How many there were. */
  async #lease(most: number): Promise<number> {
    const { sql, table } = this.#database
    const { leaseMs } = this.#options
    let left = most
    try {
      const more = this.#options.keptMs === undefined ? sql`` : sql`, name, terms, trace`
      const rows = await this.#database.answerOf(sql<M[]>`
        update ${table} set deliveries = deliveries + 1, due_at = now() + ${leaseMs}::float8 * interval '1 ms'
        where id in (select id from ${table} where due_at <= now() order by due_at, id limit ${most} for update skip locked)
        returning id::text, body, deliveries ${more}`)
      // They come in any order.
      rows.sort((a, b) => Number(BigInt(a.id) - BigInt(b.id)))
      for (const row of rows) {
        left--
        const { id, deliveries } = row
        this.#feed.arrive({ ...row }, { id, deliveries })
      }
      return rows.length
    } finally {
      this.#feed.forgo(left)
    }
  }

  /** Resolves when it is time to look again. */
  async #news(): Promise<void> {
    if (this.#feed.isStopped) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#options.lookMs)
      this.#onNews = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#onNews = undefined
  }

  /** The client listens again after it has reconnected. */
  async #listen(): Promise<void> {
    const { channel } = this.#options
    if (channel === undefined) return
    const listening = untilConfirmed(
      () => this.#database.sql.listen(channel, () => this.#onNews?.()),
      (error) => this.isPassing(error),
      this.#stopped.signal,
    )
    await listening.catch((error: unknown) =>
      console.warn(`millrace/postgres: LISTEN ${channel}: ${errorText(error).message}`),
    )
  }
}

/** A queue of rows, where it is not there. */
async function makeQueueTable({ sql, table, name }: PostgresLink): Promise<void> {
  const index = sql(`${name.replace(/^.*\./, '')}_due`)
  await sql`
    create table if not exists ${table} (
      id bigint generated always as identity primary key, body text not null,
      deliveries integer not null default 0, due_at timestamptz not null default now())`
  await sql`create index if not exists ${index} on ${table} (due_at)`
}
