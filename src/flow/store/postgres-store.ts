import type { Sql } from 'postgres'
import { REQUEST_TABLES, SCHEMA_LOCK, clientsOf, serverOf } from './postgres-client.ts'
import { type FlowStore, type StepRow, type StoreChange, type StoredRequest, stepsById, unusable } from './store.ts'

/** Keeps requests in the schema `millrace_flows` of a PostgreSQL server, over the package `postgres`. */
export class PostgresFlowStore implements FlowStore {
  readonly #sql: Sql
  readonly #owner: Sql
  readonly #server: string

  private constructor(sql: Sql, owner: Sql, server: string) {
    this.#sql = sql
    this.#owner = owner
    this.#server = server
  }

  /** @throws FLOW_STORE_UNUSABLE, TRACE_STORE_NOT_INSTALLED */
  static async open(url: string): Promise<PostgresFlowStore> {
    const connect = await clientsOf(url)
    const server = serverOf(url)
    const [sql, owner] = [connect(), connect()]
    try {
      const [lock] = await owner.unsafe<{ taken: boolean }[]>(`select pg_try_advisory_lock(${SCHEMA_LOCK}) as taken`)
      if (lock?.taken !== true) throw new Error('another process uses it')
      await owner.unsafe(REQUEST_TABLES)
      return new PostgresFlowStore(sql, owner, server)
    } catch (cause) {
      await Promise.allSettled([sql.end({ timeout: 1 }), owner.end({ timeout: 1 })])
      throw unusable(server, cause)
    }
  }

  async load(flow: string): Promise<readonly StoredRequest[]> {
    try {
      const rows = await this.#sql<StepRow[]>`
        select id, data from millrace_flows.requests where flow = ${flow} order by created_at, id`
      const steps = stepsById(
        await this.#sql<StepRow[]>`select id, data from millrace_flows.steps where flow = ${flow}`,
      )
      return rows.map(({ id, data }) => ({ id, data, steps: steps.get(id) ?? [] }))
    } catch (cause) {
      throw unusable(this.#server, cause)
    }
  }

  async save(changes: readonly StoreChange[]): Promise<void> {
    await this.#sql.begin(async (sql) => {
      // Sent one after the other without waiting: the answers come together.
      await Promise.all(changes.map((change) => apply(sql, change)))
    })
  }

  async close(): Promise<void> {
    await Promise.all([this.#sql.end({ timeout: 5 }), this.#owner.end({ timeout: 5 })])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

async function apply(sql: Pick<Sql, 'unsafe'>, change: StoreChange): Promise<void> {
  const { flow, id } = change
  if (change.kind === 'request') {
    await sql.unsafe(
      `insert into millrace_flows.requests values ($1, $2, $3, $4::float8, $5::bytea)
       on conflict (flow, id) do update set state = excluded.state, data = excluded.data`,
      [flow, id, change.state, change.createdAt, Buffer.from(change.data)],
    )
  } else if (change.kind === 'step') {
    await sql.unsafe(
      `insert into millrace_flows.steps values ($1, $2, $3, $4::bytea)
       on conflict (flow, id, step) do update set data = excluded.data`,
      [flow, id, change.step, Buffer.from(change.data)],
    )
  } else {
    await sql.unsafe('delete from millrace_flows.requests where flow = $1 and id = $2', [flow, id])
    await sql.unsafe('delete from millrace_flows.steps where flow = $1 and id = $2', [flow, id])
  }
}
