import assert from 'node:assert/strict'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { test } from 'node:test'
import { run } from 'millrace'
import { makeInvoices } from '../../examples/connectors/nats.js'
import { assertShown } from './pages.js'
import { startNats } from './servers.js'

test('the example of docs/connectors/nats.md makes an invoice of an order', async (t) => {
  assertShown('nats')
  const server = await startNats()
  if (typeof server === 'string') return t.skip(server)
  await using _ = server
  const servers = `nats://127.0.0.1:${server.port}`
  const connection = await connect({ servers })
  t.after(() => connection.close())
  const manager = await jetstreamManager(connection)
  for (const name of ['orders', 'invoices']) await manager.streams.add({ name, subjects: [`${name}.new`] })
  await manager.jetstream().publish(
    'orders.new',
    JSON.stringify({
      id: 'a',
      items: [
        { price: 3, count: 2 },
        { price: 5, count: 1 },
      ],
    }),
  )

  await using pipeline = await run(makeInvoices, { params: { servers } })
  let invoice
  while (invoice === undefined)
    invoice =
      (await manager.streams.getMessage('invoices', { last_by_subj: 'invoices.new' }).catch(() => null)) ?? undefined
  assert.deepEqual(invoice.json(), { id: 'a', total: 11 })
  await pipeline.drain()
})
