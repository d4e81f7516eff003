import { MillraceError } from '../../errors.ts'
import { type Sqlite, type SqliteStatement, openSqlite } from '../../trace/store/sql/sqlite.ts'
import { type FlowStore, type StepRow, type StoreChange, type StoredRequest, stepsById, unusable } from './store.ts'

/** `exclusive`: a second process that opens the file is refused. `full`: what is saved outlives a loss of power. */
const PREPARE = `
  pragma locking_mode = exclusive;
  pragma journal_mode = wal;
  pragma synchronous = full;
  create table if not exists flow_requests (
    flow text not null, id text not null, state text not null, created_at integer not null, data blob not null,
    primary key (flow, id)
  ) without rowid;
  create table if not exists flow_steps (
    flow text not null, id text not null, step text not null, data blob not null,
    primary key (flow, id, step)
  ) without rowid;
`

type Statements = Record<'request' | 'step' | 'forget' | 'forgetSteps' | 'requests' | 'steps', SqliteStatement>

/** Keeps requests in a SQLite file, over `node:sqlite` or better-sqlite3. */
export class SqliteFlowStore implements FlowStore {
  readonly #database: Sqlite
  readonly #statements: Statements
  readonly #file: string

  private constructor(database: Sqlite, file: string) {
    this.#database = database
    this.#file = file
    const kept = 'on conflict do update set'
    this.#statements = {
      request: database.prepare(
        `insert into flow_requests values (?, ?, ?, ?, ?) ${kept} state = excluded.state, data = excluded.data`,
      ),
      step: database.prepare(`insert into flow_steps values (?, ?, ?, ?) ${kept} data = excluded.data`),
      forget: database.prepare('delete from flow_requests where flow = ? and id = ?'),
      forgetSteps: database.prepare('delete from flow_steps where flow = ? and id = ?'),
      requests: database.prepare('select id, data from flow_requests where flow = ? order by created_at, id'),
      steps: database.prepare('select id, data from flow_steps where flow = ?'),
    }
  }

  /** Opens or makes a file. @throws FLOW_STORE_UNUSABLE, TRACE_STORE_NOT_INSTALLED */
  static async open(file: string): Promise<SqliteFlowStore> {
    let database: Sqlite | undefined
    try {
      database = await openSqlite(file)
      database.exec(PREPARE)
      return new SqliteFlowStore(database, file)
    } catch (cause) {
      database?.close()
      if (cause instanceof MillraceError) throw cause
      throw unusable(file, cause)
    }
  }

  // oxlint-disable-next-line require-await -- SQLite answers at once; what it refuses is a rejection
  async load(flow: string): Promise<readonly StoredRequest[]> {
    try {
      const rows = this.#statements.requests.all(flow) as { id: string; data: Uint8Array }[]
      const steps = stepsById(this.#statements.steps.all(flow) as StepRow[])
      return rows.map(({ id, data }) => ({ id, data, steps: steps.get(id) ?? [] }))
    } catch (cause) {
      throw unusable(this.#file, cause)
    }
  }

  // oxlint-disable-next-line require-await -- as above
  async save(changes: readonly StoreChange[]): Promise<void> {
    this.#database.exec('begin')
    try {
      for (const change of changes) this.#apply(change)
      this.#database.exec('commit')
    } catch (error) {
      this.#database.exec('rollback')
      throw error
    }
  }

  #apply(change: StoreChange): void {
    const { request, step, forget, forgetSteps } = this.#statements
    const { flow, id } = change
    if (change.kind === 'request') request.run(flow, id, change.state, change.createdAt, change.data)
    else if (change.kind === 'step') step.run(flow, id, change.step, change.data)
    else {
      forget.run(flow, id)
      forgetSteps.run(flow, id)
    }
  }

  close(): Promise<void> {
    this.#database.close()
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
