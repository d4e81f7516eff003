/** Answers of items as they come, callbacks, and how much of ended requests is kept. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { MemoryFlowStore, runFlow } from 'millrace/flow'
import { type FlowServer, type RequestAnswer, serveFlows } from 'millrace/flow/server'
import { until } from '../run/harness.js'
import { flaky, partly } from './complaint-flows.js'
import { kept, said } from './flows.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-stream-'))
const counts = new SharedArrayBuffer(16)
const SECRET = 'between us'
let server: FlowServer
/** What a server elsewhere is posted. It takes the second try. */
const posted: { headers: IncomingMessage['headers']; body: string }[] = []
const elsewhere = createServer((request, response: ServerResponse) => {
  let body = ''
  request.on('data', (chunk: Buffer) => (body += chunk.toString()))
  request.on('end', () => {
    posted.push({ headers: request.headers, body })
    response.writeHead(request.url === '/refuses' ? 400 : posted.length === 1 ? 503 : 204).end()
  })
})

before(async () => {
  elsewhere.listen(0, '127.0.0.1')
  await once(elsewhere, 'listening')
  const { port } = elsewhere.address() as AddressInfo
  server = await serveFlows([said, kept, flaky, partly], {
    port: 0,
    callbackHosts: [`127.0.0.1:${port}`],
    callbackSecret: SECRET,
    run: { params: { counts } },
  })
})
after(async () => {
  await server.close()
  elsewhere.close()
  rmSync(folder, { recursive: true })
})

interface Line {
  readonly forEach?: string
  readonly path?: readonly number[]
  readonly answer?: unknown
  readonly state?: string
  readonly error?: { readonly code: string }
}

test('answers of items come as lines as soon as they are there, and then the answer of the request', async () => {
  const log = join(folder, 'lines')
  writeFileSync(`${log}.item1`, '')
  const response = await fetch(`${server.url}/flows/kept`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/x-ndjson', 'x-request-id': 'lines' },
    body: JSON.stringify({ log, items: 3 }),
  })
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson')
  assert.equal(response.headers.get('x-request-id'), 'lines')
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  while (text.split('\n').length < 3) text += (await reader.read()).value!
  // Two items are done, and the second one waits for its file.
  assert.equal(server.flows.get('kept')!.get('lines')!.state, 'running')
  rmSync(`${log}.item1`)
  for (let read = await reader.read(); !read.done; read = await reader.read()) text += read.value
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
  assert.deepEqual(lines.at(-1), { state: 'succeeded', answer: [0, 1, 2] })
  assert.deepEqual(
    lines.slice(0, -1).map(({ path }) => path![0]),
    [0, 2, 1],
  )
  assert.ok(
    lines.slice(0, -1).every(({ forEach, answer }) => forEach === 'items' && (answer as { log: string }).log === log),
  )
})

test('a request that has ended tells its items again; one without steps is refused; a failure is the last line', async () => {
  const headers = { accept: 'application/x-ndjson' }
  const again = await fetch(`${server.url}/flows/kept/requests/lines`, { headers })
  assert.equal((await again.text()).trim().split('\n').length, 4)
  const text = { method: 'POST', headers: { ...headers, 'content-type': 'text/plain' }, body: 'x' }
  const refused = await fetch(`${server.url}/flows/said`, text)
  const { error } = (await refused.json()) as { error: { code: string } }
  assert.deepEqual([refused.status, error.code], [409, 'STEPS_NOT_KEPT'])
  const json = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: '3' }
  const failed = (await (await fetch(`${server.url}/flows/flaky`, json)).text()).trim().split('\n')
  const lines = failed.map((line) => JSON.parse(line) as Line)
  assert.deepEqual(new Set(lines.slice(0, -1).map(({ answer }) => answer)), new Set([0, 2]))
  assert.deepEqual([lines.at(-1)!.state, lines.at(-1)!.error!.code], ['failed', 'REQUEST_FAILED'])
})

test('items that no step makes anything of are answers too, and those of items of items', async () => {
  await using running = await runFlow(partly)
  const request = running.start(4)
  const found: string[] = []
  for await (const { forEach, path, answer } of request.items())
    found.push(`${forEach} ${path.join()} ${JSON.stringify(answer)}`)
  assert.deepEqual(found.toSorted(), ['all 0 0', 'all 1 {"odd":"odd 1"}', 'all 2 2', 'all 3 {"odd":"odd 3"}'])
  assert.deepEqual(await request.answer, [0, { odd: 'odd 1' }, 2, { odd: 'odd 3' }])
})

test('the end of a request is posted to the address that it was given: signed, tried again, to allowed hosts alone', async () => {
  const { port } = elsewhere.address() as AddressInfo
  const ask = (callback: string, id: string): Promise<Response> =>
    fetch(`${server.url}/flows/said`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain', prefer: 'respond-async', 'callback-url': callback, 'x-request-id': id },
      body: 'x',
    })
  assert.equal((await ask(`http://127.0.0.1:${port}/done`, 'called')).status, 202)
  await until(() => posted.length === 2, 'it is posted again')
  const [{ headers, body }] = posted.slice(1) as [(typeof posted)[0]]
  const { id, state, answer } = JSON.parse(body) as RequestAnswer
  assert.deepEqual([id, state, answer, headers['x-request-id']], ['called', 'succeeded', 'you said "x"', 'called'])
  const [, time, digest] = /^t=(\d+),v1=([0-9a-f]+)$/.exec(String(headers['millrace-signature']))!
  assert.equal(digest, createHmac('sha256', SECRET).update(`${time}.${body}`).digest('hex'))
  for (const address of [
    'http://127.0.0.1:1/',
    'http://example.org/',
    'ftp://127.0.0.1/',
    'nothing',
    `http://u:p@127.0.0.1:${port}/`,
  ]) {
    const refused = await ask(address, 'refused')
    const { error } = (await refused.json()) as { error: { code: string } }
    assert.deepEqual([refused.status, error.code], [403, 'CALLBACK_REFUSED'], address)
  }
  assert.equal(server.flows.get('said')!.get('refused'), undefined)
  // What is wrong with it is not tried again, and is said.
  const warned = once(process, 'warning') as Promise<[Error]>
  await ask(`http://127.0.0.1:${port}/refuses`, 'wrong')
  assert.match((await warned)[0].message, /callback of request wrong was not taken: 400/)
  assert.equal(posted.length, 3)
})

test('requests that have ended are known up to a number of bytes, here and in the store', async () => {
  const store = new MemoryFlowStore()
  await using running = await runFlow(partly, { store, keepBytes: 2_000 })
  for (let n = 0; n < 12; n++) await running.start(20, { id: `r${n}` }).ended
  const known = running.list().map(({ id }) => id)
  assert.ok(known.length >= 1 && known.length < 12)
  assert.equal(known[0], 'r11')
  const stored = async (): Promise<number> => (await store.load('partly')).length
  let count = await stored()
  await until(() => {
    void stored().then((now) => (count = now))
    return count === running.list().length
  }, 'the store forgets the same')
  await assert.rejects(runFlow(partly, { keepBytes: -1 }), { code: 'OPTIONS_INVALID' })
})
