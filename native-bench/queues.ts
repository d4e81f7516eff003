/** Queues that keep what they accept, each with its own client: what one would use in the place of a durable run. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue, Worker } from 'bullmq'
import postgres from 'postgres'
import { isThere, startRedis } from './servers.ts'

/** A queue with somebody who works it off. */
export interface WorkedQueue {
  /** Resolves when the queue has taken a record. */
  push(record: unknown): Promise<unknown>
  /** Records that were worked off. */
  readonly done: number
  close(): Promise<void>
}

const POSTGRES = process.env['TEST_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'
const CONNECTIONS = 8
/** Rows that the table's worker takes at once. */
const ROWS_AT_ONCE = 100

/** BullMQ on a Redis server that appends to its file, and syncs it every second; undefined where there is none. */
export async function openBull(concurrency: number): Promise<WorkedQueue | undefined> {
  const server = await startRedis('--appendonly', 'yes', '--appendfsync', 'everysec')
  if (server === undefined) return undefined
  const connection = { host: '127.0.0.1', port: server.port, maxRetriesPerRequest: null }
  const queue = new Queue('bench', { connection })
  let done = 0
  const worker = new Worker('bench', () => Promise.resolve(void done++), { connection, concurrency })
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()])
  return {
    push: (record) => queue.add('record', record, { removeOnComplete: true }),
    get done() {
      return done
    },
    async close() {
      await worker.close()
      await queue.close()
      await server.close()
    },
  }
}

/** A table of PostgreSQL: one insert for each record, and a worker that deletes what it has done, `for update skip locked`. */
export async function openTable(): Promise<WorkedQueue | undefined> {
  const { hostname, port } = new URL(POSTGRES)
  if (!(await isThere(hostname, Number(port)))) return undefined
  const sql = postgres(POSTGRES, { max: CONNECTIONS, onnotice: () => undefined })
  const taking = postgres(POSTGRES, { max: 1, onnotice: () => undefined })
  const table = `millrace_bench_${process.pid}`
  await sql`create table ${sql(table)} (id bigint generated always as identity primary key, body jsonb not null)`
  let done = 0
  const closing = new AbortController()
  const working = (async () => {
    while (!closing.signal.aborted) {
      const taken = await taking`
        delete from ${taking(table)} where id in
          (select id from ${taking(table)} order by id limit ${ROWS_AT_ONCE} for update skip locked) returning body`
      done += taken.length
      if (taken.length === 0) await sleep(1)
    }
  })()
  return {
    push: (record) => sql`insert into ${sql(table)} (body) values (${sql.json(record as never)})`,
    get done() {
      return done
    },
    async close() {
      closing.abort()
      await working
      await sql`drop table ${sql(table)}`
      await Promise.all([sql.end(), taking.end()])
    },
  }
}
