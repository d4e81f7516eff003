import assert from 'node:assert/strict'
import postgres from 'postgres'
import { test } from 'node:test'
import { run } from 'millrace'
import { makeLatest } from '../../examples/connectors/postgres.js'
import { assertShown } from './pages.js'
import { URL_HERE } from './postgres-server.js'
import { isThere } from './servers.js'

test('the example of docs/connectors/postgres.md keeps the latest reading of a sensor', async (t) => {
  assertShown('postgres')
  if (!(await isThere(Number(URL_HERE.port)))) return t.skip(`nothing listens on ${URL_HERE.host}`)
  const sql = postgres(URL_HERE.href, { max: 1, onnotice: () => undefined })
  const [queue, latest] = [`millrace_readings_${process.pid}`, `millrace_latest_${process.pid}`]
  t.after(async () => {
    await sql`drop table if exists ${sql(queue)}, ${sql(latest)}`
    await sql.end()
  })
  await sql`create table ${sql(latest)} (sensor text primary key, fahrenheit double precision)`

  await using pipeline = await run(makeLatest, { params: { url: URL_HERE.href, queue, latest } })
  for (const celsius of [5, 100]) {
    await sql`insert into ${sql(queue)} (body) values (${JSON.stringify({ sensor: 'a', celsius })})`
    await sql.notify(queue, '')
    while ((await sql`select from ${sql(queue)}`).length > 0);
  }
  assert.deepEqual([...(await sql`select * from ${sql(latest)}`)], [{ sensor: 'a', fahrenheit: 212 }])
  await pipeline.drain()
})
