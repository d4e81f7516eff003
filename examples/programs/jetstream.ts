/**
 * Consumes a JetStream stream with ack after work: a message is acked when all that came of it is written, and delivered again
 * if it failed or the process ended before.
 *
 *     node jetstream.js nats://127.0.0.1:4222 ORDERS workers orders.ndjson
 */
import { appendFile } from 'node:fs/promises'
import { dataflow, handleSignals, mark, run } from 'millrace'
import { connect, type Consumer, type JsMsg, type NatsConnection } from 'nats'

interface Params {
  readonly server: string
  readonly stream: string
  readonly consumer: string
  readonly output: string
}

interface Order {
  readonly id: number
  readonly cents: number
}

interface State {
  readonly connection: NatsConnection
  readonly consumer: Consumer
  /** Messages in flight by their sequence number, which is their receipt. */
  readonly messages: Map<number, JsMsg>
}

async function open({ server, stream, consumer }: Params): Promise<State> {
  const connection = await connect({ servers: server })
  return { connection, consumer: await connection.jetstream().consumers.get(stream, consumer), messages: new Map() }
}

async function poll(demand: number, { consumer, messages }: State) {
  const records = []
  for await (const message of await consumer.fetch({ max_messages: demand, expires: 1_000 })) {
    messages.set(message.seq, message)
    records.push(mark(message.json<Order>(), { receipt: message.seq }))
  }
  return records
}

function settle(receipts: readonly unknown[], { messages }: State, end: (message: JsMsg) => void): void {
  for (const receipt of receipts as readonly number[]) {
    const message = messages.get(receipt)
    // A worker that replaced a crashed one does not have the messages of that one: the server delivers them again.
    if (message !== undefined) end(message)
    messages.delete(receipt)
  }
}

const graph = dataflow<Params>('jetstream', import.meta.url)
  .source('orders', {
    setup: ({ params }) => open(params),
    pollSize: 256,
    poll: (demand, { state }) => poll(demand, state),
    ack: (done, failed, { state }) => {
      settle(done, state, (message) => message.ack())
      settle(failed, state, (message) => message.nak(1_000))
    },
    teardown: ({ connection }) => connection.drain(),
  })
  .transform('price', {
    concurrency: 2,
    map: ({ id, cents }: Order) => {
      if (cents < 0) throw new Error(`Order ${id} has a negative price.`)
      return { id, euros: cents / 100 }
    },
  })
  .sink('write', {
    batch: { size: 100, timeoutMs: 50 },
    write: (rows, { params }) => appendFile(params.output, rows.map((row) => `${JSON.stringify(row)}\n`).join('')),
  })
  .connect('orders', 'price', { dataType: 'order' })
  .connect('price', 'write')

export default graph

const [server = 'nats://127.0.0.1:4222', stream = 'ORDERS', consumer = 'workers', output = 'orders.ndjson'] =
  process.argv.slice(2)
const pipeline = await run(graph, { params: { server, stream, consumer, output } })
handleSignals(pipeline)
console.log('running')
const { acked, failed } = await pipeline.finished
console.log(`${acked} acked, ${failed} failed`)
