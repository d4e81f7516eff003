import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { run } from 'millrace'
import { bookPayments } from '../../examples/connectors/http.js'
import { until } from './bench.js'
import { assertShown } from './pages.js'

/** A ledger that answers as it is told, one status for each request, then 204. */
async function ledger(...statuses: number[]) {
  const taken: { key: string; entries: { id: string; cents: number }[] }[] = []
  const server = createServer((request, reply) => {
    void (async () => {
      let text = ''
      for await (const chunk of request) text += String(chunk)
      const status = statuses.shift() ?? 204
      if (status === 204)
        taken.push({ key: String(request.headers['idempotency-key']), entries: JSON.parse(text) as [] })
      reply.writeHead(status, { 'retry-after': '0' }).end()
    })()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/entries`,
    taken,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function post(port: number, body: string, path = '/payments'): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body })
  await answer.arrayBuffer()
  return answer.status
}

test('the example of docs/connectors/http.md answers once the ledger has a payment', async () => {
  assertShown('http')
  await using place = await ledger(503, 429)
  const port = await freePort()
  await using pipeline = await run(bookPayments, { params: { port, ledger: place.url } })
  assert.equal(await post(port, '{"id":"a","amount":1.5}'), 204)
  assert.deepEqual(
    place.taken.flatMap(({ entries }) => entries),
    [{ id: 'a', cents: 150 }],
  )
  assert.equal(await post(port, '{torn'), 400)
  assert.equal(await post(port, '{}', '/elsewhere'), 404)
  assert.equal(await post(port, JSON.stringify({ id: 'x'.repeat(2_000_000) })), 413)
  await pipeline.drain()
})

test('an answer that says no for good fails the batch: the sender of its records gets 500', async () => {
  await using place = await ledger(422)
  const port = await freePort()
  await using pipeline = await run(bookPayments, { params: { port, ledger: place.url } })
  assert.equal(await post(port, '{"id":"a","amount":1}'), 500)
  assert.equal(await post(port, '{"id":"a","amount":1}'), 204)
  await pipeline.drain()
})

test('while a server does not answer, the pipeline is degraded, and no more once it does', async () => {
  await using place = await ledger(503, 503, 503, 503)
  const port = await freePort()
  await using pipeline = await run(bookPayments, { params: { port, ledger: place.url } })
  const told: string[] = []
  pipeline.events.on('worker.degraded', ({ node }) => told.push(`degraded ${String(node)}`))
  pipeline.events.on('worker.recovered', ({ node }) => told.push(`recovered ${String(node)}`))
  assert.equal(await post(port, '{"id":"a","amount":1}'), 204)
  await until(() => told.length === 2, 'both are told')
  assert.deepEqual(told, ['degraded ledger', 'recovered ledger'])
  assert.deepEqual(pipeline.degraded, [])
  await pipeline.drain()
})
