import { jetstreamManager, RetentionPolicy } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServerUnderTest } from './bench.js'
import { startServer } from './servers.js'

const USER = 'mill'
const PASSWORD = 'stone'
/** Twice what a pull lasts at least, and some more. */
const SOON_MS = 2_500

function address(port: number): string {
  return `nats://127.0.0.1:${port}`
}

/** A NATS server of our own, with JetStream and one user. */
export async function startNats(kind: 'source' | 'sink'): Promise<ServerUnderTest | string> {
  const server = await startServer('nats-server', (port, folder) => {
    const config = join(folder, 'nats.conf')
    writeFileSync(
      config,
      `listen: 127.0.0.1:${port}\njetstream { store_dir: "${folder}/js" }\nauthorization { user: ${USER}, password: ${PASSWORD} }\n`,
    )
    return ['-c', config]
  })
  if (typeof server === 'string') return server
  const connection = await connect({ servers: address(server.port), user: USER, pass: PASSWORD })
  const manager = await jetstreamManager(connection)
  const client = manager.jetstream()
  let made = 0
  return {
    port: server.port,
    async queue() {
      const stream = `s${made++}`
      await manager.streams.add({ name: stream, subjects: [`${stream}.*`], retention: RetentionPolicy.Limits })
      const login = { user: USER, password: PASSWORD }
      const info = () => manager.consumers.info(stream, 'c').catch(() => undefined)
      return {
        options: (port, redeliversSoon) =>
          kind === 'sink'
            ? { servers: address(port), ...login, subject: `${stream}.a` }
            : {
                servers: address(port),
                ...login,
                stream,
                consumer: 'c',
                ackWaitMs: redeliversSoon === true ? SOON_MS : 3_600_000,
              },
        async send(texts) {
          await Promise.all(texts.map((text) => client.publish(`${stream}.a`, text)))
        },
        async unsettled() {
          return (await info())?.num_ack_pending ?? 0
        },
        async left() {
          const found = await info()
          if (found === undefined) return Infinity
          // By positions: the server's own count of what is to be delivered is off by one after some redeliveries.
          const { state } = await manager.streams.info(stream)
          return state.last_seq - found.delivered.stream_seq + found.num_ack_pending
        },
        async received() {
          const { state } = await manager.streams.info(stream)
          const texts: string[] = []
          for (let seq = state.first_seq; seq <= state.last_seq; seq++)
            texts.push((await manager.streams.getMessage(stream, { seq }))!.string())
          return texts
        },
      }
    },
    withWrongCredentials: (options) => ({ ...options, password: 'wrong-secret' }),
    withoutQueue: (options) => ({
      ...options,
      ...(kind === 'sink' ? { subject: 'nobody.takes.it' } : { stream: 'nothing' }),
    }),
    async close() {
      await connection.close()
      await server[Symbol.asyncDispose]()
    },
  }
}
