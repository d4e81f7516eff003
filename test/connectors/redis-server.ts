import { createClient } from 'redis'
import type { ServerUnderTest } from './bench.js'
import { startServer } from './servers.js'

const PASSWORD = 'stone'

/** A Redis server of our own with a password, and nothing on disk. */
export async function startRedis(kind: 'source' | 'sink'): Promise<ServerUnderTest | string> {
  const server = await startServer('redis-server', (port) => [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--requirepass',
    PASSWORD,
  ])
  if (typeof server === 'string') return server
  const client = createClient({ url: `redis://127.0.0.1:${server.port}`, password: PASSWORD })
  client.on('error', () => undefined)
  await client.connect()
  let made = 0
  return {
    port: server.port,
    async queue() {
      const stream = `stream-${made++}`
      const pending = async (): Promise<number> =>
        (await client.xPending(stream, 'g').catch(() => undefined))?.pending ?? 0
      return {
        options: (port, redeliversSoon) => ({
          url: `redis://127.0.0.1:${port}`,
          password: PASSWORD,
          stream,
          ...(kind === 'sink' ? {} : { group: 'g', claimMs: redeliversSoon === true ? 1_500 : 3_600_000 }),
        }),
        async send(texts) {
          await Promise.all(texts.map((data) => client.xAdd(stream, '*', { data })))
        },
        unsettled: pending,
        async left() {
          const groups = await client.xInfoGroups(stream).catch(() => [] as const)
          const group = groups.find(({ name }) => name === 'g') as { lag: number | null } | undefined
          return group === undefined ? Infinity : (group.lag ?? 0) + (await pending())
        },
        async received() {
          return ((await client.xRange(stream, '-', '+')) ?? []).map((entry) => String(entry?.message['data']))
        },
      }
    },
    withWrongCredentials: (options) => ({ ...options, password: 'wrong-secret' }),
    async close() {
      client.destroy()
      await server[Symbol.asyncDispose]()
    },
  }
}
