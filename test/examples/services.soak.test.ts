/** The example programs that serve or consume until they are asked to end. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import jpeg from 'jpeg-js'
import { connect } from 'nats'
import postgres from 'postgres'
import { databaseOnServer } from '../import/harness.js'
import { ownFolder, program, rowsOf } from './program.js'

const { onServer, to } = await databaseOnServer()

test('the thumbnail service answers smaller pictures of the same colour, and refuses what is none', async () => {
  const service = program('thumbnails', [], { PORT: '0' })
  const url = `${await service.firstLine}/thumbnail?width=40`
  const big = { width: 320, height: 200, data: Buffer.from(new Uint8Array(320 * 200 * 4).fill(200)) }
  const post = (body: Uint8Array): Promise<Response> =>
    fetch(url, { method: 'POST', headers: { 'content-type': 'image/jpeg' }, body: Buffer.from(body) })
  const answers = await Promise.all(Array.from({ length: 8 }, () => post(jpeg.encode(big, 90).data)))
  for (const answer of answers) {
    assert.equal(answer.headers.get('content-type'), 'image/jpeg')
    const small = jpeg.decode(new Uint8Array(await answer.arrayBuffer()))
    assert.deepEqual([small.width, small.height], [40, 25])
    assert.ok(Math.abs(small.data[0]! - 200) < 5)
  }
  assert.equal((await post(new Uint8Array([1, 2, 3]))).status, 500)
  service.terminate()
  await service.out
})

test('a webhook is answered when it is in a file; what is not signed, or is no JSON, is refused', async () => {
  const folder = ownFolder()
  const service = program('webhooks', [folder], { PORT: '0', SECRET: 's3cret' })
  const url = `${await service.firstLine}/hooks`
  const post = async (body: string, secret = 's3cret'): Promise<number> => {
    const signature = createHmac('sha256', secret).update(body).digest('hex')
    const headers = { 'content-type': 'application/json', 'x-signature': signature }
    return (await fetch(url, { method: 'POST', headers, body })).status
  }
  const bodies = Array.from({ length: 200 }, (_, id) => JSON.stringify({ id }))
  assert.deepEqual(new Set(await Promise.all(bodies.map((body) => post(body)))), new Set([202]))
  const files = readdirSync(folder)
  assert.ok(files.length < 200, 'events share files')
  const events = files.flatMap((file) =>
    gunzipSync(readFileSync(join(folder, file)))
      .toString()
      .trim()
      .split('\n')
      .map((line) => line),
  )
  const ids = events.map((line) => (JSON.parse(line) as { event: { id: number } }).event.id)
  assert.deepEqual(
    ids.toSorted((a, b) => a - b),
    bodies.map((_, id) => id),
  )
  assert.deepEqual([await post('{}', 'wrong'), await post('{')], [401, 400])
  service.terminate()
  await service.out
})

test('the outbox sends every change, in the order of its entity, and deletes what was taken', onServer, async (t) => {
  const taken: { id: string; entity: string; payload: { n: number } }[] = []
  let refusals = 3
  const server = createServer((request, answer) => {
    let body = ''
    request.on('data', (text: Buffer) => (body += text.toString()))
    request.on('end', () => {
      if (refusals-- > 0) answer.statusCode = 503
      else taken.push(JSON.parse(body) as (typeof taken)[number])
      answer.end()
    })
  }).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const sql = postgres(to, { onnotice: () => undefined })
  t.after(() => sql.end())
  const service = program('outbox', [target], { DATABASE_URL: to })
  await service.firstLine
  const rows = Array.from({ length: 300 }, (_, n) => ({ entity: `e${n % 7}`, payload: { n } }))
  await sql`INSERT INTO outbox (entity, payload) SELECT entity, payload FROM jsonb_to_recordset(${sql.json(rows)}) AS row (entity text, payload jsonb)`
  const left = async (): Promise<number> => (await sql<{ n: number }[]>`SELECT count(*)::int n FROM outbox`)[0]!.n
  for (let n = await left(); n > 0; n = await left()) await new Promise((resolve) => setTimeout(resolve, 20))
  for (let entity = 0; entity < 7; entity++) {
    const own = taken.filter((change) => change.entity === `e${entity}`).map(({ payload }) => payload.n)
    assert.deepEqual(
      own,
      rows.map((_, n) => n).filter((n) => n % 7 === entity),
    )
  }
  service.terminate()
  assert.match(await service.out, /300 sent, 0 failed/)
})

const nats = await connect({ servers: process.env['TEST_NATS_URL'] ?? 'nats://127.0.0.1:4222', timeout: 2_000 }).catch(
  () => undefined,
)
const onNats = nats === undefined ? { skip: 'no NATS server for tests (TEST_NATS_URL names another one)' } : {}

test('the JetStream consumer acks what is written, and what failed is delivered again', onNats, async (t) => {
  const [name, folder] = [`EXAMPLE_${process.pid}`, ownFolder()]
  const manager = await nats!.jetstreamManager()
  await manager.streams.add({ name, subjects: [`${name}.>`] })
  t.after(() => manager.streams.delete(name).then(() => nats!.close()))
  await manager.consumers.add(name, { durable_name: 'workers', ack_policy: 'explicit' as never, max_deliver: 2 })
  const stream = nats!.jetstream()
  for (let id = 0; id < 500; id++)
    await stream.publish(`${name}.new`, JSON.stringify({ id, cents: id === 13 ? -1 : 250 }))
  const output = join(folder, 'orders.ndjson')
  const service = program('jetstream', [
    process.env['TEST_NATS_URL'] ?? 'nats://127.0.0.1:4222',
    name,
    'workers',
    output,
  ])
  await service.firstLine
  const info = async () => manager.consumers.info(name, 'workers')
  for (let now = await info(); now.num_pending + now.num_ack_pending > 0; now = await info())
    await new Promise((resolve) => setTimeout(resolve, 20))
  service.terminate()
  assert.match(await service.out, /499 acked, 2 failed/)
  const ids = rowsOf<{ id: number }>(output).map(({ id }) => id)
  assert.deepEqual(
    ids.toSorted((a, b) => a - b),
    Array.from({ length: 500 }, (_, id) => id).filter((id) => id !== 13),
  )
})
