/** Brokers that buffers lie in: servers that tests start or find, and what tests do to queues behind the library's back. */
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import amqp from 'amqplib'
import postgresClient from 'postgres'
import { createClient } from 'redis'
import type { Technology, Via } from 'millrace'
import { URL_HERE } from './postgres-server.js'
import { RABBITMQ_URL } from './rabbitmq-server.js'
import { isThere, startNats, startServer } from './servers.js'

export interface BrokerUnderTest {
  readonly technology: Technology
  readonly port: number
  /** Each record arrives once, whichever process is killed. */
  readonly isExactlyOnce: boolean
  /** An address by a port. What a killed process had comes again after about a second. */
  via(queue: string, port?: number): Via
  /** A message that no part has sent. */
  foreign(queue: string): Promise<void>
  /** Messages that are not done. */
  left(queue: string): Promise<number>
  remove(queue: string): Promise<void>
  close(): Promise<void>
}

const named = (queue: string): string => `millrace_via_${process.pid}_${queue}`

const SOON_MS = 1_200
/** Longer than any test. */
const DEDUPE_MS = 3_600_000

async function nats(): Promise<BrokerUnderTest | string> {
  const server = await startNats()
  if (typeof server === 'string') return server
  const connection = await connect({ servers: `nats://127.0.0.1:${server.port}` })
  const manager = await jetstreamManager(connection)
  return {
    technology: 'nats',
    port: server.port,
    isExactlyOnce: true,
    via: (stream, port = server.port) => ({
      technology: 'nats',
      servers: `nats://127.0.0.1:${port}`,
      stream,
      ackWaitMs: SOON_MS,
      dedupeMs: DEDUPE_MS,
    }),
    foreign: async (stream) => void (await manager.jetstream().publish(stream, 'no record of ours')),
    left: async (stream) => (await manager.streams.info(stream)).state.messages,
    remove: async (stream) => void (await manager.streams.delete(stream)),
    async close() {
      await connection.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

async function redis(): Promise<BrokerUnderTest | string> {
  const own = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const server = await startServer('redis-server', (port) => ['--port', `${port}`, ...own])
  if (typeof server === 'string') return server
  const client = createClient({ url: `redis://127.0.0.1:${server.port}` })
  client.on('error', () => undefined)
  await client.connect()
  return {
    technology: 'redis',
    port: server.port,
    isExactlyOnce: true,
    via: (stream, port = server.port) => ({
      technology: 'redis',
      url: `redis://127.0.0.1:${port}`,
      stream,
      claimMs: SOON_MS,
      dedupeMs: DEDUPE_MS,
    }),
    foreign: async (stream) => void (await client.xAdd(stream, '*', { data: 'no record of ours' })),
    left: (stream) => client.xLen(stream),
    remove: async (stream) => void (await client.del(stream)),
    async close() {
      client.destroy()
      await server[Symbol.asyncDispose]()
    },
  }
}

async function rabbitmq(): Promise<BrokerUnderTest | string> {
  if (!(await isThere(Number(RABBITMQ_URL.port)))) return `nothing listens on ${RABBITMQ_URL.host}`
  const connection = await amqp.connect(RABBITMQ_URL.href)
  const channel = await connection.createConfirmChannel()
  const made = new Set<string>()
  return {
    technology: 'rabbitmq',
    port: Number(RABBITMQ_URL.port),
    isExactlyOnce: false,
    via(queue, port) {
      const url = new URL(RABBITMQ_URL)
      if (port !== undefined) url.port = String(port)
      made.add(named(queue))
      return { technology: 'rabbitmq', url: url.href, queue: named(queue) }
    },
    async foreign(queue) {
      channel.sendToQueue(named(queue), Buffer.from('no record of ours'))
      await channel.waitForConfirms()
    },
    left: async (queue) => (await channel.checkQueue(named(queue))).messageCount,
    remove: async (queue) => void (await channel.deleteQueue(named(queue))),
    async close() {
      for (const queue of made) await channel.deleteQueue(queue)
      await connection.close()
    },
  }
}

async function postgres(): Promise<BrokerUnderTest | string> {
  if (!(await isThere(Number(URL_HERE.port)))) return `nothing listens on ${URL_HERE.host}`
  const sql = postgresClient(URL_HERE.href, { max: 1, onnotice: () => undefined })
  const made = new Set<string>()
  return {
    technology: 'postgres',
    port: Number(URL_HERE.port),
    isExactlyOnce: true,
    via(queue, port) {
      const url = new URL(URL_HERE)
      if (port !== undefined) url.port = String(port)
      made.add(named(queue))
      const table = named(queue)
      return { technology: 'postgres', url: url.href, table, leaseMs: SOON_MS, lookMs: 20, dedupeMs: DEDUPE_MS }
    },
    foreign: async (queue) =>
      void (await sql`insert into ${sql(named(queue))} (name, terms, body) values ('foreign', 'none', 'no record')`),
    async left(queue) {
      const [row] = await sql`select count(*)::int n from ${sql(named(queue))} where done_at is null`
      return row!['n'] as number
    },
    remove: async (queue) => void (await sql`drop table ${sql(named(queue))}`),
    async close() {
      for (const table of made) await sql`drop table if exists ${sql(table)}`
      await sql.end()
    },
  }
}

/** How each broker is started or found. @returns why there is none */
export const BROKERS: Readonly<Record<Technology, () => Promise<BrokerUnderTest | string>>> = {
  nats,
  redis,
  rabbitmq,
  postgres,
}
