import { errorText } from '../../errors.ts'
import type { AckContext, Marked, SetupContext, SourceContext } from '../../graph/types.ts'
import { clearInterval, clearTimeout, setInterval, setTimeout } from '../../time.ts'
import { Backoff, pause, untilConfirmed } from '../core/backoff.ts'
import { Feed } from '../core/feed.ts'
import { recordOfMessage } from '../core/record.ts'
import { verdicts } from '../core/verdict.ts'
import { PostgresLink, type DatabaseTable } from './link.ts'
import type { PostgresMessage, PostgresReceipt } from './message.ts'

/** What a queue is made of: options of `postgresSource` with their defaults. */
interface PostgresQueueOptions extends DatabaseTable {
  readonly leaseMs: number
  readonly lookMs: number
  readonly channel?: string
  readonly window: number
  readonly maxDeliveries: number
  readonly redeliverMs: number
  readonly decode: (message: PostgresMessage) => unknown
}

/** At the end a server that does not answer is not waited for. */
const END_MS = 5_000

/**
 * One worker's side of a table that is a queue. A message that is taken is leased: it is due again later. So a process that is killed
 * holds no lock, and what it had comes to others when its leases end.
 */
export class PostgresQueue {
  readonly #options: PostgresQueueOptions
  readonly #database: PostgresLink
  readonly #feed: Feed<unknown>
  readonly #closed = new AbortController()
  #alive: NodeJS.Timeout | undefined
  #taking: Promise<void> | undefined
  #onNews: (() => void) | undefined

  private constructor(options: PostgresQueueOptions, database: PostgresLink) {
    this.#options = options
    this.#database = database
    this.#feed = new Feed(options.window)
  }

  /** @throws CONNECTOR_NOT_INSTALLED, CONNECTOR_UNREACHABLE, CONNECTOR_REFUSED */
  static async open(options: PostgresQueueOptions, context: SetupContext): Promise<PostgresQueue> {
    const index = `${options.table.replace(/^.*\./, '')}_due`
    const database = await PostgresLink.open(options, context, async ({ sql, table }) => {
      await sql`
        create table if not exists ${table} (
          id bigint generated always as identity primary key, body text not null,
          deliveries integer not null default 0, due_at timestamptz not null default now())`
      await sql`create index if not exists ${sql(index)} on ${table} (due_at)`
    })
    return new PostgresQueue(options, database)
  }

  poll(demand: number, context: SourceContext): Promise<readonly Marked<unknown>[]> | readonly Marked<unknown>[] {
    this.#taking ??= this.#takeAll(context)
    return this.#feed.take(demand, context.signal)
  }

  async ack(successes: readonly unknown[], failures: readonly unknown[], context: AckContext): Promise<void> {
    const { sql, table } = this.#database
    const { done, again, over } = verdicts<PostgresReceipt>(successes, failures, context, this.#options)
    const ended = [...done, ...over].map(({ id }) => id)
    const late = again.map(({ receipt }) => receipt.id)
    await this.#confirmed(async () => {
      if (ended.length > 0) await sql`delete from ${table} where id = any(${ended}::bigint[])`
      if (late.length === 0) return
      const delays = again.map(({ delayMs }) => delayMs)
      await sql`
        update ${table} queue set due_at = now() + late.ms * interval '1 ms'
        from unnest(${late}::bigint[], ${delays}::float8[]) late (id, ms) where queue.id = late.id`
    })
    this.#feed.settle([...ended, ...late])
  }

  async close(): Promise<void> {
    await this.#stop()
    this.#closed.abort()
    await this.#database.close()
  }

  /** Takes no more, and gives back what was not polled. */
  async #stop(): Promise<void> {
    this.#feed.stop()
    clearInterval(this.#alive)
    this.#onNews?.()
    const giveBack = async (): Promise<void> => {
      await this.#taking
      const { sql, table } = this.#database
      const back = this.#feed.giveBack().map(({ receipt }) => (receipt as PostgresReceipt).id)
      if (back.length > 0) await sql`update ${table} set due_at = now() where id = any(${back}::bigint[])`
      this.#feed.settle(back)
    }
    await Promise.race([giveBack().catch(() => undefined), pause(END_MS, this.#closed.signal)])
  }

  async #takeAll({ receipts, signal }: SourceContext): Promise<void> {
    this.#feed.adopt((receipts as readonly PostgresReceipt[]).map(({ id }) => id))
    signal.addEventListener('abort', () => void this.#stop())
    this.#alive = setInterval(() => void this.#keep(), this.#options.leaseMs / 2)
    void this.#listen()
    const backoff = new Backoff()
    for (let most = await this.#feed.ask(); most > 0; most = await this.#feed.ask()) {
      try {
        if ((await this.#take(most)) === 0) await this.#news()
        backoff.reset()
      } catch (error) {
        if (!this.#database.isPassing(error)) return this.#feed.fail(this.#database.refusal(error))
        await backoff.pause(this.#closed.signal)
      }
    }
  }

  /** How many there were. */
  async #take(most: number): Promise<number> {
    const { sql, table } = this.#database
    const { leaseMs } = this.#options
    let left = most
    try {
      const rows = await sql<{ id: string; body: string; deliveries: number }[]>`
        update ${table} set deliveries = deliveries + 1, due_at = now() + ${leaseMs}::float8 * interval '1 ms'
        where id in (select id from ${table} where due_at <= now() order by due_at, id limit ${most} for update skip locked)
        returning id::text, body, deliveries`
      // They come in any order.
      rows.sort((a, b) => Number(BigInt(a.id) - BigInt(b.id)))
      for (const { id, body, deliveries } of rows) {
        left--
        const where = { table: this.#options.table, id }
        this.#feed.arrive(id, recordOfMessage({ id, body, deliveries }, { id, deliveries }, this.#options, where))
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
    const { sql } = this.#database
    await this.#confirmed(() => sql.listen(channel, () => this.#onNews?.())).catch((error: unknown) =>
      console.warn(`millrace/postgres: LISTEN ${channel}: ${errorText(error).message}`),
    )
  }

  /** Work may take longer than a lease. */
  async #keep(): Promise<void> {
    const { sql, table } = this.#database
    const held = [...this.#feed.held] as string[]
    if (held.length === 0) return
    await sql`
      update ${table} set due_at = now() + ${this.#options.leaseMs}::float8 * interval '1 ms' where id = any(${held}::bigint[])
    `.catch(() => undefined)
  }

  async #confirmed(act: () => Promise<unknown>): Promise<void> {
    await untilConfirmed(act, (error) => this.#database.isPassing(error), this.#closed.signal)
  }
}
