import type { RequestState } from '../request-view.ts'
import { base64, ownerKey } from './owned-changes.ts'
import { serverOf } from './postgres-client.ts'
import type {
  NewRequest,
  OwnedChange,
  RequestCommand,
  RequestFilter,
  SharedFlowStore,
  SharedLimits,
  SharedRequest,
  StoreNews,
} from './shared-store.ts'
import { SharedConnection } from './shared-connection.ts'
import { HAS_TABLES, SHARED_TABLES, forgetRows, saveRows, takeRows } from './shared-sql.ts'
import { type StepRow, stepsById, unusable } from './store.ts'
import { EVERY_FLOW, NewsSender, newsFrom } from './store-news.ts'

const CHANNEL = 'millrace_flows'
interface Row {
  readonly id: string
  readonly data: Buffer
  readonly state: RequestState
  readonly started_at: number | null
  readonly owner: string | null
  readonly epoch: number
  readonly asked: RequestCommand | null
}

/** Instances share their requests in the schema `millrace_flows` of a PostgreSQL server, over the package `postgres`. */
export class SharedPostgresStore implements SharedFlowStore {
  readonly isShared = true
  readonly #connection: SharedConnection
  readonly #news: NewsSender

  private constructor(connection: SharedConnection) {
    this.#connection = connection
    this.#news = new NewsSender(async (texts) => {
      await connection.ask(
        ({ sql }) => sql`
          select pg_notify(${CHANNEL}, text) from json_array_elements_text(${JSON.stringify(texts)}::text::json) as text`,
      )
    })
  }

  /** @throws FLOW_STORE_UNUSABLE, TRACE_STORE_NOT_INSTALLED */
  static async open(url: string): Promise<SharedPostgresStore> {
    const connection = await SharedConnection.to(url, CHANNEL)
    try {
      const [found] = await connection.ask(({ sql }) => sql.unsafe<{ there: boolean }[]>(HAS_TABLES))
      if (found?.there !== true) await connection.ask(({ sql }) => sql.unsafe(SHARED_TABLES))
      return new SharedPostgresStore(connection)
    } catch (cause) {
      await connection.close()
      throw unusable(serverOf(url), cause)
    }
  }

  async add(flow: string, { id, createdAt, data, steps }: NewRequest): Promise<boolean> {
    const given = JSON.stringify(steps.map(({ step, data }) => ({ step, data: base64(data) })))
    const added = await this.#connection.ask(
      ({ sql }) => sql`
      with added as (
        insert into millrace_flows.requests (flow, id, state, created_at, data)
        values (${flow}, ${id}, 'queued', ${createdAt}::float8, ${Buffer.from(data)})
        on conflict do nothing returning id
      ), kept as (
        insert into millrace_flows.steps
        select ${flow}, added.id, s.step, decode(s.data, 'base64')
        from added, json_to_recordset(${given}::text::json) as s (step text, data text)
      )
      select id from added`,
    )
    if (added.length > 0) this.#news.add(flow, 'work')
    return added.length > 0
  }

  async read(flow: string, ids: readonly string[]): Promise<readonly SharedRequest[]> {
    const given = JSON.stringify(ids)
    const rows = await this.#connection.ask(
      ({ sql }) => sql<Row[]>`
      select id, data, state, started_at, owner, epoch, asked from millrace_flows.requests
      where flow = ${flow} and id in (select json_array_elements_text(${given}::text::json))
      order by created_at, id`,
    )
    if (rows.length === 0) return []
    const steps = stepsById(
      await this.#connection.ask(
        ({ sql }) => sql<StepRow[]>`
        select id, data from millrace_flows.steps
        where flow = ${flow} and id in (select json_array_elements_text(${given}::text::json))`,
      ),
    )
    return rows.map((row) => requestOf(row, steps.get(row.id)))
  }

  async states(flow: string, ids: readonly string[]): Promise<ReadonlyMap<string, RequestState>> {
    const rows = await this.#connection.ask(
      ({ sql }) => sql<{ id: string; state: RequestState }[]>`
      select id, state from millrace_flows.requests
      where flow = ${flow} and is_open and id in (select json_array_elements_text(${JSON.stringify(ids)}::text::json))`,
    )
    return new Map(rows.map(({ id, state }) => [id, state]))
  }

  async list(
    flow: string,
    { state = null, from = null, to = null }: Partial<Record<keyof RequestFilter, any>>,
    { limit, offset }: { readonly limit: number; readonly offset: number },
  ): Promise<readonly SharedRequest[]> {
    const rows = await this.#connection.ask(
      ({ sql }) => sql<Row[]>`
      select id, data, state, started_at, owner, epoch, asked from millrace_flows.requests
      where flow = ${flow} and (${state}::text is null or state = ${state})
        and (${from}::float8 is null or created_at >= ${from}) and (${to}::float8 is null or created_at < ${to})
      order by created_at desc, id desc
      limit ${limit === Infinity ? null : limit}::bigint offset ${offset}::bigint`,
    )
    return rows.map((row) => requestOf(row, []))
  }

  async count(
    flow: string,
    { state = null, from = null, to = null }: Partial<Record<keyof RequestFilter, any>>,
  ): Promise<number> {
    const [row] = await this.#connection.ask(
      ({ sql }) => sql<{ n: number }[]>`
      select count(*)::int as n from millrace_flows.requests
      where flow = ${flow} and (${state}::text is null or state = ${state})
        and (${from}::float8 is null or created_at >= ${from}) and (${to}::float8 is null or created_at < ${to})`,
    )
    return row!.n
  }

  async load(flow: string): Promise<{ readonly open: number; readonly queued: number }> {
    const [row] = await this.#connection.ask(
      ({ sql }) => sql<{ open: number; queued: number }[]>`
      select count(*)::int as open, (count(*) filter (where owner is null and state <> 'paused'))::int as queued
      from millrace_flows.requests where flow = ${flow} and is_open`,
    )
    return row!
  }

  async ask(flow: string, id: string, command: RequestCommand): Promise<boolean> {
    const isEnd = command === 'stop' || command === 'timeOut'
    const rows = await this.#connection.ask(
      ({ sql }) => sql`
      update millrace_flows.requests set asked = ${command}
      where flow = ${flow} and id = ${id} and is_open and coalesce(asked, '') not in ('stop', 'timeOut')
        and (${isEnd}::boolean or state in ('queued', 'running', 'paused'))
      returning id`,
    )
    if (rows.length === 0) return false
    this.#news.add(flow, 'asked', [id])
    this.#news.add(flow, 'work')
    return true
  }

  async register(instance: string, leaseMs: number): Promise<void> {
    await this.#connection.ask(
      ({ guard }) => guard`
      insert into millrace_flows.instances values (${instance}, clock_timestamp() + ${leaseMs}::float8 * interval '1 ms')`,
    )
  }

  async renew(instance: string, leaseMs: number): Promise<boolean> {
    const rows = await this.#connection.ask(
      ({ guard }) => guard`
      update millrace_flows.instances set lease_until = clock_timestamp() + ${leaseMs}::float8 * interval '1 ms'
      where id = ${instance} returning id`,
    )
    return rows.length > 0
  }

  async leave(instance: string): Promise<void> {
    await this.#connection.ask(({ sql }) => sql`delete from millrace_flows.instances where id = ${instance}`)
    this.#news.add(EVERY_FLOW, 'work')
  }

  async sweep(): Promise<void> {
    const gone = await this.#connection.ask(
      ({ sql }) => sql`
      delete from millrace_flows.instances where id in (
        select id from millrace_flows.instances where lease_until < clock_timestamp() for update skip locked
      ) returning id`,
    )
    if (gone.length > 0) this.#news.add(EVERY_FLOW, 'work')
  }

  async take(
    flow: string,
    instance: string,
    room: number,
    except: readonly string[],
  ): Promise<readonly SharedRequest[]> {
    const ids = await this.#connection.ask(({ sql }) => takeRows(sql, { flow, instance, room, except }))
    const rows = ids.length === 0 ? [] : await this.read(flow, ids)
    return rows.filter(({ owner }) => owner === instance)
  }

  async asked(flow: string, instance: string): Promise<ReadonlyMap<string, RequestCommand>> {
    const rows = await this.#connection.ask(
      ({ sql }) => sql<{ id: string; asked: RequestCommand }[]>`
      select id, asked from millrace_flows.requests
      where flow = ${flow} and owner = ${instance} and is_open and asked is not null`,
    )
    return new Map(rows.map(({ id, asked }) => [id, asked]))
  }

  async save(flow: string, changes: readonly OwnedChange[]): Promise<readonly OwnedChange[]> {
    const rows = await this.#connection.ask(({ sql }) => saveRows(sql, flow, changes))
    const held = new Set(rows.map(ownerKey))
    const ids = rows.map(({ id }) => id)
    this.#news.add(flow, 'saved', ids)
    if (changes.some((change) => change.kind === 'release' && held.has(ownerKey(change)))) this.#news.add(flow, 'work')
    return changes.filter((change) => !held.has(ownerKey(change)))
  }

  async forget(flow: string, limits: SharedLimits): Promise<void> {
    await this.#connection.ask(({ sql }) => forgetRows(sql, flow, limits))
  }

  listen(flow: string, onNews: (news: StoreNews) => void): () => void {
    return this.#connection.listen((text) => {
      const news = newsFrom(text, flow)
      if (news !== undefined) onNews(news)
    })
  }

  async close(): Promise<void> {
    await this.#news.close()
    await this.#connection.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function requestOf(
  { id, data, state, started_at, owner, epoch, asked }: Row,
  steps: readonly Uint8Array[] = [],
): SharedRequest {
  return {
    id,
    data,
    steps,
    state,
    epoch,
    startedAt: started_at ?? undefined,
    owner: owner ?? undefined,
    asked: asked ?? undefined,
  }
}
