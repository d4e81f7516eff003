/** Flows over HTTP: each route, with a real server and a real client. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import Fastify from 'fastify'
import { runFlow } from 'millrace/flow'
import { type FlowServer, type RequestAnswer, type RequestList, flowApi, serveFlows } from 'millrace/flow/server'
import { until } from '../run/harness.js'
import { ABORTED, BEGAN, diamond, echo, kept, said, waiting } from './flows.js'

const counts = new Int32Array(new SharedArrayBuffer(12))
let server: FlowServer

before(async () => {
  const options = { port: 0, showErrors: true, run: { params: { counts: counts.buffer } } }
  server = await serveFlows([said, echo, diamond, waiting, kept], options)
})
after(() => server.close())

const json = { 'content-type': 'application/json' }
const MINUTE = 60_000

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(server.url + path, init)
}

function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return ask(path, { method: 'POST', headers: { ...json, ...headers }, body: JSON.stringify(body) })
}

async function codeOf(response: Response): Promise<string> {
  const { error } = (await response.json()) as { error: { code: string } }
  return error.code
}

test('a POST is answered with what the last step answers, and with the id of the request', async () => {
  const text = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'hallo' }
  const response = await ask('/flows/said', text)
  assert.deepEqual([response.status, await response.text()], [200, 'you said "hallo"'])
  assert.ok(response.headers.get('x-request-id')!.length > 10)
  const object = await post('/flows/diamond', { n: 3 })
  assert.equal(object.headers.get('content-type'), 'application/json; charset=utf-8')
  assert.deepEqual(await object.json(), { n: 3, left: 6, right: 4, sum: 10 })
})

test('bodies of every byte, of none and of a mebibyte come back as they went', async () => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte)
  for (const body of [all, new Uint8Array(1_000_000).fill(200)]) {
    const response = await ask('/flows/echo', { method: 'POST', headers: { 'content-type': 'image/png' }, body })
    assert.equal(response.headers.get('content-type'), 'application/octet-stream')
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), body)
  }
  assert.equal((await ask('/flows/echo', { method: 'POST' })).status, 204)
  const broken = await ask('/flows/echo', { method: 'POST', headers: json, body: '{' })
  assert.deepEqual([broken.status, await codeOf(broken)], [400, 'BODY_NOT_JSON'])
  const large = await ask('/flows/echo', { method: 'POST', body: new Uint8Array(1_048_577) })
  assert.deepEqual([large.status, await codeOf(large)], [413, 'BODY_TOO_LARGE'])
})

test('`Prefer` says whether to wait: 202 with the address of the request, which goes on', async () => {
  const later = await post('/flows/diamond', { n: 1 }, { prefer: 'respond-async' })
  assert.equal(later.status, 202)
  assert.equal(later.headers.get('preference-applied'), 'respond-async')
  const address = later.headers.get('location')!
  const ended = (await (await ask(`${address}?wait=60000`)).json()) as RequestAnswer
  assert.deepEqual([ended.state, ended.isOpen, ended.answer], ['succeeded', false, { n: 1, left: 2, right: 2, sum: 4 }])
  const goflow = await post('/flows/said', 'x', { 'x-async': 'True' })
  assert.deepEqual([goflow.status, goflow.headers.get('preference-applied')], [202, null])
  const soon = await post('/flows/diamond', { n: 2 }, { prefer: 'wait=60' })
  assert.deepEqual([soon.status, soon.headers.get('preference-applied')], [200, 'wait=60'])
  const late = await post('/flows/waiting', MINUTE, { prefer: 'wait=0', 'x-request-id': 'late' })
  assert.equal(late.status, 202)
  await ask('/flows/waiting/requests/late', { method: 'DELETE' })
})

test('a second request with the same key gets the answer of the first; with another body it is refused', async () => {
  const key = { 'idempotency-key': 'once' }
  const answers = await Promise.all([1, 2, 3].map(() => post('/flows/diamond', { n: 7 }, key)))
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200],
  )
  const other = await post('/flows/diamond', { n: 8 }, key)
  assert.deepEqual([other.status, await codeOf(other)], [409, 'KEY_REUSED'])
  const list = (await (await ask('/flows/diamond/requests?pageSize=1000')).json()) as RequestList
  assert.equal(list.requests.filter(({ id }) => id === 'once').length, 1)
})

test('a failed request says its step, and what that said where errors are shown', async () => {
  const failed = await post('/flows/diamond', { n: 5, fails: 'left' }, { 'x-request-id': 'failed' })
  assert.equal(failed.status, 500)
  const { error } = (await failed.json()) as { error: { code: string; message: string } }
  assert.equal(error.code, 'REQUEST_FAILED')
  assert.match(error.message, /step: left.*left cannot do 5/)
  const view = (await (await ask('/flows/diamond/requests/failed')).json()) as RequestAnswer
  assert.deepEqual(view.error, { code: 'REQUEST_FAILED', step: 'left', reason: 'left cannot do 5' })
  const late = await post('/flows/waiting?timeoutMs=5', MINUTE)
  assert.deepEqual([late.status, await codeOf(late)], [504, 'REQUEST_TIMED_OUT'])
})

test('what is unknown is 404, and what cannot be is 400 or 405', async () => {
  assert.equal(await codeOf(await post('/flows/nothing', 1)), 'FLOW_UNKNOWN')
  assert.equal(await codeOf(await ask('/flows/said/requests/nobody')), 'REQUEST_UNKNOWN')
  assert.equal((await ask('/flows/said', { method: 'PUT' })).status, 405)
  assert.equal((await ask('/elsewhere')).status, 404)
  assert.equal((await ask('/flows/said/requests?state=odd')).status, 400)
  assert.equal((await ask('/flows/said/requests?from=yesterday')).status, 400)
  assert.equal((await post('/flows/said', 'x', { 'x-request-id': 'x'.repeat(201) })).status, 400)
})

test('a stop is answered when nothing of the request is left, and cannot be done twice', async () => {
  const before = counts[ABORTED]!
  const began = counts[BEGAN]!
  const waited = post('/flows/waiting', MINUTE, { 'x-request-id': 'stopped' })
  await until(() => counts[BEGAN]! > began, 'it began')
  const stopped = await ask('/flows/waiting/requests/stopped/stop', { method: 'POST' })
  const { state, isOpen } = (await stopped.json()) as RequestAnswer
  assert.deepEqual([stopped.status, state, isOpen, counts[ABORTED]! - before], [200, 'stopped', false, 1])
  assert.deepEqual([(await waited).status, await codeOf(await waited)], [409, 'REQUEST_STOPPED'])
  const again = await ask('/flows/waiting/requests/stopped/stop', { method: 'POST' })
  assert.deepEqual([again.status, await codeOf(again)], [409, 'REQUEST_ENDED'])
})

test('a request is paused and resumed, as often as one likes, and shows what its steps did', async () => {
  const log = join(mkdtempSync(join(tmpdir(), 'millrace-http-')), 'log')
  writeFileSync(`${log}.first`, '')
  await post('/flows/kept', { log, items: 2 }, { 'x-request-id': 'held', prefer: 'respond-async' })
  const change = (how: string, id = 'held'): Promise<Response> =>
    ask(`/flows/kept/requests/${id}/${how}`, { method: 'POST' })
  for (const _ of [1, 2]) assert.equal(((await (await change('pause')).json()) as RequestAnswer).state, 'paused')
  rmSync(`${log}.first`)
  const { requests } = (await (await ask('/flows/kept/requests?state=paused')).json()) as RequestList
  assert.deepEqual([requests.length, requests[0]!.steps], [1, undefined])
  await change('resume')
  await change('resume')
  const view = (await (await ask('/flows/kept/requests/held?wait=60000')).json()) as RequestAnswer
  assert.deepEqual([view.state, view.answer], ['succeeded', [0, 1]])
  const items = view.steps!.filter(({ step }) => step === 'items.each.item')
  const did = items.map(({ path, state, attempts }) => `${path.join()} ${state} ${attempts}`)
  assert.deepEqual(new Set(did), new Set(['0 done 1', '1 done 1']))
  const late = await change('pause')
  assert.deepEqual([late.status, await codeOf(late)], [409, 'REQUEST_ENDED'])
  const unknown = await change('resume', 'nobody')
  assert.deepEqual([unknown.status, await codeOf(unknown)], [404, 'REQUEST_UNKNOWN'])
})

async function idsOf(query: string): Promise<string[]> {
  const { requests } = (await (await ask(`/flows/said/requests?${query}`)).json()) as RequestList
  return requests.map(({ id }) => id)
}

test('requests are listed by state and time, newest first, in pages', async () => {
  for (const id of ['p1', 'p2', 'p3']) await post('/flows/said', id, { 'x-request-id': id })
  assert.deepEqual(await idsOf('state=succeeded&pageSize=2'), ['p3', 'p2'])
  assert.equal((await idsOf('state=succeeded&pageSize=2&page=2'))[0], 'p1')
  assert.deepEqual(await idsOf('state=failed'), [])
  assert.deepEqual(await idsOf('to=2020-01-01T00:00:00Z'), [])
})

test('a request is followed by server-sent events to its end', async () => {
  await post('/flows/waiting', MINUTE, { 'x-request-id': 'seen', prefer: 'respond-async' })
  const response = await ask('/flows/waiting/requests/seen', { headers: { accept: 'text/event-stream' } })
  await ask('/flows/waiting/requests/seen', { method: 'DELETE' })
  const text = await response.text()
  const views = [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!) as RequestAnswer)
  assert.deepEqual([views[0]!.state, views[0]!.isOpen], ['running', true])
  assert.deepEqual([views.at(-1)!.state, views.at(-1)!.isOpen], ['stopped', false])
})

test('flows are listed, described and drawn, and the document names every route', async () => {
  const { flows } = (await (await ask('/flows')).json()) as { flows: { name: string }[] }
  assert.deepEqual(
    flows.map(({ name }) => name),
    ['said', 'echo', 'diamond', 'waiting', 'kept'],
  )
  const flow = (await (await ask('/flows/diamond')).json()) as { steps: string[]; open: number }
  assert.deepEqual([flow.steps, flow.open], [['ask', 'left', 'right', 'both'], 0])
  assert.match(await (await ask('/flows/diamond/drawing')).text(), /digraph/)
  assert.match(await (await ask('/flows/diamond/drawing?format=mermaid')).text(), /flowchart|graph/)
  const graph = (await (await ask('/flows/diamond/graph')).json()) as { name: string; nodes: { id: string }[] }
  assert.equal(graph.name, 'diamond')
  assert.deepEqual(
    graph.nodes.map(({ id }) => id).filter((id) => ['ask', 'left', 'right', 'both'].includes(id)),
    ['ask', 'left', 'right', 'both'],
  )
  const { paths, info } = (await (await ask('/openapi.json')).json()) as { paths: object; info: { title: string } }
  assert.equal(info.title, 'Millrace flows')
  assert.deepEqual(Object.keys(paths).toSorted(), [
    '/flows',
    '/flows/{flow}',
    '/flows/{flow}/drawing',
    '/flows/{flow}/graph',
    '/flows/{flow}/requests',
    '/flows/{flow}/requests/{request}',
    '/flows/{flow}/requests/{request}/pause',
    '/flows/{flow}/requests/{request}/replay',
    '/flows/{flow}/requests/{request}/resume',
    '/flows/{flow}/requests/{request}/stop',
  ])
})

test('as a plugin it stands under its prefix, asks for the token, and hides what steps say', async () => {
  await using running = await runFlow(diamond)
  const app = Fastify()
  await app.register(flowApi([running], { token: 'secret' }), { prefix: '/api' })
  const url = await app.listen({ port: 0 })
  try {
    const headers = { ...json, authorization: 'Bearer secret', prefer: 'respond-async' }
    const without = await fetch(`${url}/api/flows`)
    assert.deepEqual([without.status, await codeOf(without)], [401, 'TOKEN_MISSING'])
    const body = JSON.stringify({ n: 1, fails: 'ask' })
    const asked = await fetch(`${url}/api/flows/diamond`, { method: 'POST', headers, body })
    const address = asked.headers.get('location')!
    assert.match(address, /^\/api\/flows\/diamond\/requests\//)
    const view = (await (await fetch(`${url}${address}?wait=60000`, { headers })).json()) as RequestAnswer
    assert.deepEqual(view.error, { code: 'REQUEST_FAILED', step: 'ask' })
    const failed = await fetch(`${url}/api/flows/diamond`, {
      method: 'POST',
      headers: { ...headers, prefer: '' },
      body,
    })
    assert.ok(!(await failed.text()).includes('cannot do'))
  } finally {
    await app.close()
  }
})
