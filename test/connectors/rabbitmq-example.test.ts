import amqp from 'amqplib'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from 'millrace'
import { makeOrders } from '../../examples/connectors/rabbitmq.js'
import { assertShown } from './pages.js'
import { RABBITMQ_URL } from './rabbitmq-server.js'
import { isThere } from './servers.js'

test('the example of docs/connectors/rabbitmq.md orders thumbnails of an upload', async (t) => {
  assertShown('rabbitmq')
  if (!(await isThere(Number(RABBITMQ_URL.port)))) return t.skip(`nothing listens on ${RABBITMQ_URL.host}`)
  const connection = await amqp.connect(RABBITMQ_URL.href)
  const channel = await connection.createConfirmChannel()
  const [uploads, thumbnails] = [`millrace_uploads_${process.pid}`, `millrace_thumbnails_${process.pid}`]
  await channel.assertQueue(thumbnails)
  t.after(async () => {
    for (const queue of [uploads, thumbnails]) await channel.deleteQueue(queue)
    await connection.close()
  })

  await using pipeline = await run(makeOrders, { params: { url: RABBITMQ_URL.href, uploads, thumbnails } })
  for (const [path, bytes] of [
    ['film.mov', 9e9],
    ['cat.jpg', 9e5],
  ])
    channel.sendToQueue(uploads, Buffer.from(JSON.stringify({ path, bytes })), { messageId: String(path) })
  let order = await channel.get(thumbnails, { noAck: true })
  while (order === false) order = await channel.get(thumbnails, { noAck: true })
  assert.deepEqual(JSON.parse(order.content.toString()), { path: 'cat.jpg', sizes: [128, 512] })
  await pipeline.drain()
})
