import type { SetupContext } from '../../graph/types.ts'
import { monotonicMs } from '../../time.ts'
import { WriteGroups } from '../core/write-groups.ts'
import type { Publisher } from '../core/sink.ts'
import { PostgresLink, isTableGone, type DatabaseTable } from './link.ts'

/** A row of a queue between two parts, as it is written. */
export interface NewParcel {
  readonly name: string
  readonly terms: string
  readonly trace: string | null
  readonly body: string
}

/** A queue between two parts. A row that is done stays for a while, so that one of its name is not written again. */
export async function makeParcelTable({ sql, table, name }: PostgresLink): Promise<void> {
  const index = sql(`${name.replace(/^.*\./, '')}_due`)
  await sql.begin(async (turn) => {
    // Both ends make it, often at one moment.
    await turn`select pg_advisory_xact_lock(hashtext(${name}))`
    await turn`
      create table if not exists ${table} (
        id bigint generated always as identity primary key, name text not null unique, terms text not null, trace text,
        body text not null, deliveries integer not null default 0, due_at timestamptz not null default now(),
        done_at timestamptz)`
    await turn`create index if not exists ${index} on ${table} (due_at)`
  })
}

/** Rows that were done so long ago are forgotten. */
export async function forgetDone({ sql, table }: PostgresLink, keptMs: number): Promise<void> {
  await sql`delete from ${table} where done_at < now() - ${keptMs}::float8 * interval '1 ms'`
}

/** Rows of one statement. */
const MOST_ROWS = 500
/** A count of the rows that are not done holds so long. */
const COUNT_MS = 1_000

/** One worker's side of such a queue: what is sent in the meantime goes with the next statement. */
export class ParcelPublisher implements Publisher<NewParcel> {
  readonly #database: PostgresLink
  readonly #capacity: number
  readonly #encode: (record: unknown) => NewParcel
  readonly #groups = new WriteGroups<NewParcel>({ most: MOST_ROWS }, (parcels) => this.#write(parcels))
  /** Rows that there is room for, and until when that holds. */
  #room = 0
  #roomUntil = 0

  private constructor(database: PostgresLink, capacity: number, encode: (record: unknown) => NewParcel) {
    this.#database = database
    this.#capacity = capacity
    this.#encode = encode
  }

  /** @throws CONNECTOR_NOT_INSTALLED, CONNECTOR_UNREACHABLE, CONNECTOR_REFUSED */
  static async open(
    options: DatabaseTable & { readonly capacity: number; readonly encode: (record: unknown) => NewParcel },
    context: SetupContext,
  ): Promise<ParcelPublisher> {
    const database = await PostgresLink.open(options, context, makeParcelTable)
    return new ParcelPublisher(database, options.capacity, options.encode)
  }

  encode(record: unknown): NewParcel {
    return this.#encode(record)
  }

  send(parcel: NewParcel): Promise<void> {
    return this.#groups.add(parcel)
  }

  isPassing(error: unknown): boolean {
    return isTableGone(error) || this.#database.isPassing(error)
  }

  close(): Promise<void> {
    return this.#database.close()
  }

  async #write(parcels: readonly NewParcel[]): Promise<void> {
    try {
      await this.#insert(parcels)
    } catch (error) {
      if (isTableGone(error)) await makeParcelTable(this.#database).catch(() => undefined)
      throw error
    }
  }

  async #insert(parcels: readonly NewParcel[]): Promise<void> {
    const { sql, table } = this.#database
    if (this.#room < parcels.length || monotonicMs() > this.#roomUntil) await this.#count()
    if (this.#room < parcels.length) throw new Error('the queue has as many messages as it may')
    this.#room -= parcels.length
    const json = JSON.stringify(parcels)
    await this.#database.answerOf(sql`
      insert into ${table} (name, terms, trace, body)
      select name, terms, trace, body
      from jsonb_to_recordset(${json}::text::jsonb) as parcel (name text, terms text, trace text, body text)
      on conflict (name) do nothing`)
  }

  /** Others write too, so a few more may come to be there than there may be. */
  async #count(): Promise<void> {
    const { sql, table } = this.#database
    const [row] = await this.#database.answerOf(sql<{ count: number }[]>`
      select count(*)::int from (select from ${table} where due_at < 'infinity' limit ${this.#capacity}) open`)
    this.#room = this.#capacity - row!.count
    this.#roomUntil = monotonicMs() + COUNT_MS
  }
}
