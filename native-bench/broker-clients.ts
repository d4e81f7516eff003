/** The clients of the brokers alone, in a tight loop of one thread: what our connectors stand beside. */
import { AckPolicy, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { createClient, defineScript } from 'redis'
import { DEDUPE_MS, IN_FLIGHT, servers, url, WINDOW } from './broker-graphs.ts'
import { SIX_FIELDS, type SixFields } from './records.ts'

/** One queue, as its own client has it. */
export interface ClientQueue {
  /** Puts in the records of these indices; each is confirmed, and stored once. */
  write(from: number, to: number): Promise<void>
  /** Takes so many messages, and acks each. @returns the sum of their records */
  read(count: number): Promise<number>
}

/** The client of one broker. */
export interface BrokerClient {
  queue(name: string): Promise<ClientQueue>
  close(): Promise<void>
}

/** Keeps so many writes under way. */
async function pump(from: number, to: number, write: (index: number) => Promise<unknown>): Promise<void> {
  let next = from
  const writer = async (): Promise<void> => {
    while (next < to) await write(next++)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, writer))
}

export async function natsClient(port: number): Promise<BrokerClient> {
  const connection = await connect({ servers: servers(port) })
  const manager = await jetstreamManager(connection)
  const jetStream = manager.jetstream()
  return {
    async queue(name) {
      await manager.streams.add({ name, subjects: [name], duplicate_window: DEDUPE_MS * 1e6 })
      await manager.consumers.add(name, {
        durable_name: name,
        ack_policy: AckPolicy.Explicit,
        max_ack_pending: -1,
        max_deliver: -1,
      })
      const consumer = await jetStream.consumers.get(name, name)
      return {
        write: (from, to) =>
          pump(from, to, (index) =>
            jetStream.publish(name, JSON.stringify(SIX_FIELDS.make(index)), { msgID: `${name} ${index}` }),
          ),
        async read(count) {
          let sum = 0
          let left = count
          const messages = await consumer.consume({ max_messages: WINDOW })
          for await (const message of messages) {
            sum += SIX_FIELDS.sumOf(message.json<SixFields>())
            message.ack()
            if (--left === 0) break
          }
          await connection.flush()
          return sum
        },
      }
    },
    close: () => connection.close(),
  }
}

/** As our sink does it: an entry is added unless a key says that it was. */
const addOnce = defineScript({
  SCRIPT: `if redis.call('EXISTS', KEYS[2]) == 1 then return false end
redis.call('SET', KEYS[2], 1, 'PX', ARGV[1])
return redis.call('XADD', KEYS[1], '*', 'data', ARGV[2])`,
  NUMBER_OF_KEYS: 2,
  parseCommand(parser, stream: string, key: string, ms: string, data: string) {
    parser.push(stream, key, ms, data)
  },
  transformReply: (reply: unknown) => reply,
})

export async function redisClient(port: number): Promise<BrokerClient> {
  const client = createClient({ url: url(port), scripts: { addOnce } })
  await client.connect()
  return {
    async queue(name) {
      await client.xGroupCreate(name, name, '0', { MKSTREAM: true })
      return {
        write: (from, to) =>
          pump(from, to, (index) =>
            client.addOnce(name, `{${name}}:${index}`, String(DEDUPE_MS), JSON.stringify(SIX_FIELDS.make(index))),
          ),
        async read(count) {
          let sum = 0
          for (let left = count; left > 0;) {
            const read = await client.xReadGroup(
              name,
              'client',
              { key: name, id: '>' },
              { COUNT: Math.min(WINDOW, left) },
            )
            const [{ messages }] = read as unknown as [{ messages: { id: string; message: { data: string } }[] }]
            for (const { message } of messages) sum += SIX_FIELDS.sumOf(JSON.parse(message.data) as SixFields)
            await client.xAck(
              name,
              name,
              messages.map(({ id }) => id),
            )
            left -= messages.length
          }
          return sum
        },
      }
    },
    async close() {
      client.destroy()
      await Promise.resolve()
    },
  }
}
