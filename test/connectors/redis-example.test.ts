import assert from 'node:assert/strict'
import { createClient } from 'redis'
import { test } from 'node:test'
import { run } from 'millrace'
import { makeCounts } from '../../examples/connectors/redis.js'
import { assertShown } from './pages.js'
import { startServer } from './servers.js'

test('the example of docs/connectors/redis.md counts visits by page', async (t) => {
  assertShown('redis')
  const server = await startServer('redis-server', (port) => ['--port', `${port}`, '--bind', '127.0.0.1', '--save', ''])
  if (typeof server === 'string') return t.skip(server)
  await using _ = server
  const url = `redis://127.0.0.1:${server.port}`
  const client = createClient({ url })
  await client.connect()
  // Before its server ends.
  await using _client = { [Symbol.asyncDispose]: async () => client.destroy() }
  for (const page of ['/a', '/b', '/a'])
    await client.xAdd('visits', '*', { data: JSON.stringify({ page, at: '2026-01-01' }) })

  await using pipeline = await run(makeCounts, { params: { url } })
  const counted = async (): Promise<{ page: string; visits: number }[]> =>
    ((await client.xRange('counts', '-', '+')) ?? []).map(
      (entry) => JSON.parse(String(entry?.message['data'])) as { page: string; visits: number },
    )
  while ((await counted()).reduce((sum, { visits }) => sum + visits, 0) < 3);
  const sums = new Map<string, number>()
  for (const { page, visits } of await counted()) sums.set(page, (sums.get(page) ?? 0) + visits)
  assert.deepEqual(
    [...sums].sort(([a], [b]) => a.localeCompare(b)),
    [
      ['/a', 2],
      ['/b', 1],
    ],
  )
  await pipeline.drain()
})
