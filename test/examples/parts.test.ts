import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { graphParts, simulate, validate } from 'millrace/analysis'
import graph from '../../examples/parts/microservices.js'
import { startNats } from '../connectors/servers.js'

const ORDERS = 40

function example(servers: string): { readonly child: ChildProcess; readonly lines: string[] } {
  const main = fileURLToPath(new URL('../../examples/parts/main.js', import.meta.url))
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, NATS_URL: servers, ORDERS: String(ORDERS) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  return { child, lines }
}

test('the microservices of the walkthrough run as three processes over NATS with one command', async (t) => {
  const server = await startNats()
  if (typeof server === 'string') return t.skip(server)
  await using _ = server
  const { child, lines } = example(`nats://127.0.0.1:${server.port}`)
  t.after(() => child.kill('SIGKILL'))
  const told = (): number => lines.filter((line) => /^notifications: .*"(text|badge)"/.test(line)).length
  // Two apps, and two messages for each order.
  while (told() < 4 * ORDERS) {
    assert.equal(child.exitCode, null, lines.join('\n'))
    await once(child.stdout!, 'data')
  }
  child.kill('SIGINT')
  const [code] = (await once(child, 'exit')) as [number | null]
  assert.equal(code, 0)
  assert.equal(told(), 4 * ORDERS, 'nobody is told twice')
})

test('its parts are its clusters, and it has no problems', () => {
  assert.deepEqual(validate(graph), [])
  assert.deepEqual(
    graphParts(graph).map(({ name, reads, writes }) => ({ name, reads, writes })),
    [
      { name: 'ingestion', reads: [], writes: ['orders'] },
      { name: 'order_service', reads: ['orders'], writes: ['confirmed'] },
      { name: 'notifications', reads: ['confirmed'], writes: [] },
    ],
  )
  const { parts } = simulate(graph)
  assert.deepEqual(
    parts.map(({ id }) => id),
    ['ingestion', 'order_service', 'notifications'],
  )
})

test('docs/parts.md shows it', () => {
  const page = readFileSync(new URL('../../../docs/parts.md', import.meta.url), 'utf8')
  assert.ok(page.includes('examples/parts/microservices.ts'))
})
