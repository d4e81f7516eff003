/**
 * Sends the changes of a PostgreSQL database to a service, at least once. Transactions write what happened into a table `outbox`; a
 * row is deleted when the service has taken it. Several processes may run: each takes other rows. One process keeps the order of
 * the changes of an entity, until one of them has failed five times: that is sent again later.
 *
 *     DATABASE_URL=postgres:///shop node outbox.js http://127.0.0.1:3000/events
 */
import { dataflow, handleSignals, mark, run } from 'millrace'
import postgres, { type Sql } from 'postgres'

interface Params {
  readonly database: string
  readonly target: string
}

interface Change {
  readonly id: string
  readonly entity: string
  readonly payload: unknown
}

async function open({ database }: Params): Promise<Sql> {
  const sql = postgres(database, { max: 2, onnotice: () => undefined })
  await sql`CREATE TABLE IF NOT EXISTS outbox (
    id bigserial PRIMARY KEY, entity text NOT NULL, payload jsonb NOT NULL, taken_until timestamptz NOT NULL DEFAULT '-infinity')`
  return sql
}

/** Takes rows for a minute: a process that ends in between leaves them to the others. */
async function take(demand: number, sql: Sql) {
  const rows = await sql<Change[]>`
    UPDATE outbox SET taken_until = now() + interval '1 minute'
    WHERE id IN (SELECT id FROM outbox WHERE taken_until < now() ORDER BY id LIMIT ${demand} FOR UPDATE SKIP LOCKED)
    RETURNING id, entity, payload`
  const changes = rows.toSorted((a, b) => Number(a.id) - Number(b.id))
  return changes.map(({ id, entity, payload }) => mark({ id, entity, payload }, { receipt: id }))
}

async function settle(done: readonly unknown[], failed: readonly unknown[], sql: Sql): Promise<void> {
  if (done.length > 0) await sql`DELETE FROM outbox WHERE id IN ${sql(done as string[])}`
  const later = failed as string[]
  if (later.length > 0) {
    await sql`UPDATE outbox SET taken_until = now() + interval '5 seconds' WHERE id IN ${sql(later)}`
  }
}

async function send(change: Change, target: string, signal: AbortSignal): Promise<void> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': change.id }
  const answer = await fetch(target, { method: 'POST', headers, body: JSON.stringify(change), signal })
  if (!answer.ok) throw new Error(`${target} answered ${answer.status} to change ${change.id}.`)
}

const graph = dataflow<Params>('outbox', import.meta.url)
  .source('changes', {
    setup: ({ params }) => open(params),
    pollMs: 200,
    poll: (demand, { state }) => take(demand, state),
    ack: (done, failed, { state }) => settle(done, failed, state),
    teardown: (sql) => sql.end(),
  })
  .sink('send', {
    concurrency: 2,
    partitionBy: ({ entity }: Change) => entity,
    ordered: true,
    maxInFlight: 16,
    timeoutMs: 10_000,
    retry: { maxAttempts: 5, baseMs: 100 },
    write: (change, { params, signal }) => send(change, params.target, signal),
  })
  .connect('changes', 'send', { dataType: 'change' })

export default graph

const [target = 'http://127.0.0.1:3000/events'] = process.argv.slice(2)
const database = process.env['DATABASE_URL'] ?? 'postgres:///'
const pipeline = await run(graph, { params: { database, target } })
handleSignals(pipeline)
console.log('running')
const { acked, failed } = await pipeline.finished
console.log(`${acked} sent, ${failed} failed`)
