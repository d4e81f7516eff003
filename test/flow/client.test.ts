/** The client of a server of flows. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { MillraceError } from 'millrace'
import { type FlowsClient, connectFlows } from 'millrace/flow/client'
import { type FlowServer, serveFlows } from 'millrace/flow/server'
import { until } from '../run/harness.js'
import { BEGAN, diamond, echo, kept, said, waiting } from './flows.js'

interface Flows extends Readonly<Record<string, unknown>> {
  readonly said: typeof said
  readonly echo: typeof echo
  readonly diamond: typeof diamond
  readonly waiting: typeof waiting
  readonly kept: typeof kept
}

const counts = new Int32Array(new SharedArrayBuffer(12))
let server: FlowServer
let client: FlowsClient<Flows>

before(async () => {
  const run = { params: { counts: counts.buffer } }
  server = await serveFlows([said, echo, diamond, waiting, kept], { port: 0, token: 'secret', showErrors: true, run })
  client = connectFlows<Flows>(server.url, { token: 'secret' })
})
after(() => server.close())

test('texts, objects, bytes and nothing go there and come back as they are', async () => {
  const text: string = await client.flow('said').execute('hallo')
  assert.equal(text, 'you said "hallo"')
  const { sum } = await client.flow('diamond').execute({ n: 4 })
  assert.equal(sum, 13)
  const bytes = Uint8Array.from([0, 255, 10, 13])
  for (const input of [bytes, '', 'ä', undefined, null, 0, false, [1, { a: 'b' }]])
    assert.deepEqual(await client.flow('echo').execute(input), input)
})

test('a request is started, followed to its end, listed and stopped', async () => {
  const flow = client.flow('waiting')
  const { id, state } = await flow.start(5)
  assert.equal(state, 'running')
  assert.equal((await flow.ended(id)).answer, 5)
  const began = counts[BEGAN]!
  await flow.start(60_000, { id: 'long' })
  await until(() => counts[BEGAN]! > began, 'it began')
  assert.equal((await flow.get('long')).state, 'running')
  assert.equal((await flow.stop('long')).state, 'stopped')
  const { requests, total } = await flow.list({ state: 'stopped', from: new Date(0), pageSize: 1 })
  assert.deepEqual([requests.map((request) => request.id), total], [['long'], 1])
})

function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'answered',
    (error: MillraceError) => error.code,
  )
}

test('what the server refuses is thrown with its code', async () => {
  assert.equal(await codeOf(client.flow('diamond').execute({ n: 1, fails: 'both' })), 'REQUEST_FAILED')
  assert.equal(await codeOf(client.flow('waiting').execute(60_000, { timeoutMs: 5 })), 'REQUEST_TIMED_OUT')
  assert.equal(await codeOf(client.flow('said').get('nobody')), 'REQUEST_UNKNOWN')
  assert.equal(await codeOf(client.flow('nothing' as 'said').execute('x')), 'FLOW_UNKNOWN')
  assert.equal(await codeOf(connectFlows<Flows>(server.url).flow('said').execute('x')), 'TOKEN_MISSING')
  assert.equal(
    await client.flow('said').execute('a', { id: 'one' }),
    await client.flow('said').execute('a', { id: 'one' }),
  )
  assert.equal(await codeOf(client.flow('said').execute('b', { id: 'one' })), 'KEY_REUSED')
  const elsewhere = connectFlows<Flows>('http://nowhere.invalid', {
    fetch: () => Promise.resolve(new Response('?', { status: 502 })),
  })
  await assert.rejects(elsewhere.flow('said').execute('x'), /status 502/)
})

test('a request is paused and resumed', async () => {
  const log = join(mkdtempSync(join(tmpdir(), 'millrace-client-')), 'log')
  writeFileSync(`${log}.first`, '')
  const { id } = await client.flow('kept').start({ log, items: 1 })
  assert.equal((await client.flow('kept').pause(id)).state, 'paused')
  rmSync(`${log}.first`)
  await client.flow('kept').resume(id)
  const { answer, steps } = await client.flow('kept').ended(id)
  assert.deepEqual([answer, steps!.at(-1)!.step], [[0], 'last'])
})

test('a caller that stops waiting stops nothing', async () => {
  const began = counts[BEGAN]!
  const caller = new AbortController()
  const left = client.flow('waiting').execute(60_000, { id: 'goes on', signal: caller.signal })
  await until(() => counts[BEGAN]! > began, 'it began')
  caller.abort()
  await assert.rejects(left, { name: 'AbortError' })
  assert.equal((await client.flow('waiting').get('goes on')).state, 'running')
  await client.flow('waiting').stop('goes on')
})
