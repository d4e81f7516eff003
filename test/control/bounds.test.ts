import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { fastify } from 'fastify'
import { run } from 'millrace'
import { CommandLimit } from '#src/control/command-limit.js'
import { control, serveControl } from '#src/control/index.js'
import * as graphs from './graphs.js'
import { controlled, served, until } from './harness.js'

/** What a server answers to bytes as they are. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.setEncoding('utf8').on('data', (text: string) => (answer += text))
  socket.on('error', () => undefined)
  socket.write(bytes)
  await once(socket, 'close')
  return answer
}

/** Connections of this process: both ends of each. */
const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length

test('with a token, everything but health and the page needs it', async () => {
  await controlled(graphs.pushed, { serve: { token: 's3cret' } }, async ({ server, ask }) => {
    for (const path of ['/health', '/ready', '/', '/openapi.json', '/page/page.js']) {
      // A body that nobody reads would hold its connection beyond the end of the server.
      const { status, body } = await fetch(server.url + path)
      assert.equal(status, 200, path)
      await body?.cancel()
    }
    for (const path of ['/pipelines', '/metrics', '/pipelines/pushed/watch', '/log-level', '/pipelines/none']) {
      const response = await fetch(server.url + path)
      assert.equal(response.status, 401, path)
      assert.match(response.headers.get('www-authenticate')!, /^Bearer/)
      assert.equal(((await response.json()) as any).error.code, 'TOKEN_MISSING')
    }
    for (const authorization of ['Bearer no', 'Bearer s3cre', 'Bearer s3cret3', 'Bearer S3CRET']) {
      const { status, json } = await ask('POST', '/pipelines/pushed/pause', undefined, { authorization })
      assert.deepEqual([status, json.error.code], [401, 'TOKEN_WRONG'], authorization)
    }
    assert.equal(
      (await ask('POST', '/pipelines/pushed/pause', undefined, { authorization: 'Basic czNjcmV0' })).status,
      401,
    )
    assert.equal((await ask('POST', '/pipelines/pushed/pause')).status, 200)
  })
})

test('every command needs the token, whatever it is asked with', async () => {
  await controlled(graphs.pushed, { serve: { token: 's3cret' } }, async ({ get, server, pipeline }) => {
    const { paths } = await get('/openapi.json')
    const operations = Object.entries<any>(paths).flatMap(([path, methods]) =>
      Object.keys(methods)
        .filter((method) => method !== 'get')
        .map((method) => ({ method: method.toUpperCase(), path, operation: methods[method] })),
    )
    assert.ok(operations.length > 10)
    for (const { method, path, operation } of operations) {
      assert.deepEqual(operation.security, [{ token: [] }], `${method} ${path}`)
      const url = server.url + path.replace('{pipeline}', 'pushed').replaceAll(/\{\w+\}/g, '0')
      for (const authorization of [undefined, 'Bearer wrong']) {
        const response = await fetch(url, { method, headers: authorization === undefined ? {} : { authorization } })
        assert.equal(response.status, 401, `${method} ${path}`)
        await response.body?.cancel()
      }
    }
    assert.deepEqual([pipeline.state, pipeline.isPaused()], ['running', false])
  })
})

test('another address than this machine’s own is refused without a token', async () => {
  const pipeline = await run(graphs.pushed)
  for (const host of ['0.0.0.0', '::', '192.168.1.7', 'example.com']) {
    await assert.rejects(serveControl(pipeline, { host, port: 0 }), { code: 'ADDRESS_NEEDS_TOKEN' })
  }
  const server = await serveControl(pipeline, { host: '0.0.0.0', port: 0, token: 't' })
  await server.close()
  await assert.rejects(serveControl(pipeline, { port: 0, tokn: 't' } as object), { code: 'OPTIONS_INVALID' })
  await assert.rejects(serveControl(pipeline, { port: -1 }), { code: 'OPTIONS_INVALID' })
  const first = await serveControl(pipeline, { port: 0 })
  await assert.rejects(serveControl(pipeline, { port: first.port }), { code: 'CONTROL_NOT_LISTENING' })
  await first.close()
  await pipeline.stop()
})

test('pages of other origins can neither command nor, by a name of their own, read', async () => {
  await controlled(graphs.pushed, {}, async ({ server, ask }) => {
    const path = '/pipelines/pushed/pause'
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
    ]) {
      assert.equal(
        (await ask('POST', path, undefined, headers as Record<string, string>)).json.error.code,
        'ORIGIN_REFUSED',
      )
    }
    assert.equal((await ask('POST', path, undefined, { origin: server.url })).status, 200)
    const rebound = await raw(server.port, 'GET /pipelines HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n')
    assert.match(rebound, /^HTTP\/1\.1 403 [^]*ORIGIN_REFUSED/)
    const answer = await ask('GET', '/pipelines', undefined, { origin: 'https://evil.example' })
    assert.equal(answer.headers.get('access-control-allow-origin'), null)
  })
})

test('every answer carries the security headers and, where it fails, the one shape', async () => {
  await controlled(graphs.pushed, { serve: { maxBodyBytes: 2_048 } }, async ({ ask }) => {
    const json = { 'content-type': 'application/json' }
    const records = '/pipelines/pushed/records'
    const cases: [number, string, string, string, unknown?, Record<string, string>?][] = [
      [404, 'ADDRESS_UNKNOWN', 'GET', '/nothing'],
      [404, 'ADDRESS_UNKNOWN', 'GET', '/page/../../package.json'],
      [404, 'ADDRESS_UNKNOWN', 'GET', '/page/..%2f..%2fcontrol.js'],
      [404, 'PIPELINE_UNKNOWN', 'GET', '/pipelines/..%2f..%2fetc%2fpasswd'],
      [404, 'PIPELINE_UNKNOWN', 'GET', '/pipelines/__proto__/stats'],
      [404, 'NODE_UNKNOWN', 'GET', '/pipelines/pushed/stages/constructor'],
      [404, 'NODE_UNKNOWN', 'GET', '/pipelines/pushed/stages/constructor/histograms/service'],
      [404, 'HISTOGRAM_UNKNOWN', 'GET', '/pipelines/pushed/stages/check/histograms/ack'],
      [400, 'REQUEST_INVALID', 'GET', '/pipelines/pushed/stages/check/histograms/valueOf'],
      [400, 'REQUEST_INVALID', 'GET', '/pipelines/%ff/stats'],
      [400, 'REQUEST_INVALID', 'GET', '/pipelines/pushed/dead-letters?limit=0'],
      [400, 'REQUEST_INVALID', 'GET', '/pipelines/pushed/dead-letters?limit=many'],
      [400, 'REQUEST_INVALID', 'GET', '/pipelines/pushed/dead-letters?unknown=1'],
      [400, 'REQUEST_INVALID', 'GET', '/pipelines/pushed/watch?rateHz=1000'],
      [400, 'REQUEST_INVALID', 'GET', '/pipelines/pushed/dead-letters?limit=1.5'],
      [400, 'REQUEST_INVALID', 'GET', '/pipelines/pushed/dead-letters?limit=1&limit=2'],
      [400, 'REQUEST_INVALID', 'GET', '/pipelines/pushed/dead-letters?limit='],
      [400, 'REQUEST_INVALID', 'GET', '/pipelines/pushed/graph.dot?live=1'],
      [400, 'REQUEST_INVALID', 'GET', `/pipelines/${'x'.repeat(1_200)}`],
      [400, 'REQUEST_INVALID', 'POST', '/pipelines/pushed/stages/check/workers/0.5/kill', {}],
      [404, 'ADDRESS_UNKNOWN', 'GET', '//pipelines'],
      [404, 'ADDRESS_UNKNOWN', 'GET', '/pipelines/pushed/'],
      [404, 'PIPELINE_UNKNOWN', 'GET', '/pipelines/%00'],
      [405, 'METHOD_NOT_ALLOWED', 'OPTIONS', '/pipelines'],
      [405, 'METHOD_NOT_ALLOWED', 'PUT', '/pipelines/pushed/pause'],
      [405, 'METHOD_NOT_ALLOWED', 'GET', '/pipelines/pushed/pause'],
      [400, 'BODY_NOT_JSON', 'POST', records, '{"node":', json],
      [400, 'BODY_NOT_JSON', 'POST', records, 'node=in', { 'content-type': 'text/plain' }],
      [400, 'REQUEST_INVALID', 'POST', records, []],
      [400, 'REQUEST_INVALID', 'POST', records, { node: 5, record: 1 }],
      [400, 'REQUEST_INVALID', 'POST', records, { node: 'in' }],
      [400, 'REQUEST_INVALID', 'POST', records, { node: 'in', record: 1, more: 1 }],
      [413, 'BODY_TOO_LARGE', 'POST', records, { node: 'in', record: 'x'.repeat(3_000) }],
    ]
    for (const [status, code, method, path, body, headers] of cases) {
      const answer = await ask(method, path, body, headers)
      assert.deepEqual([answer.status, answer.json?.error.code], [status, code], `${method} ${path} ${answer.text}`)
      assert.ok(answer.json.error.message.length > 0 && answer.json.error.fix.length > 0)
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', path)
      assert.match(answer.headers.get('content-security-policy')!, /default-src 'none'/)
    }
    assert.equal((await ask('PUT', '/pipelines/pushed/pause')).headers.get('allow'), 'POST')
    assert.equal((await ask('GET', '/health')).status, 200)
  })
})

test('what is no HTTP as it should be gets the one shape too, and the connection ends', async () => {
  await controlled(graphs.pushed, {}, async ({ server, ask, pipeline }) => {
    const host = 'host: localhost\r\n'
    const post = `POST /pipelines/pushed/pause HTTP/1.1\r\n${host}`
    const cases: [status: number, code: string, bytes: string][] = [
      [431, 'HEADERS_TOO_LARGE', `GET /health HTTP/1.1\r\n${host}${'x: y\r\n'.repeat(10_000)}\r\n`],
      [400, 'REQUEST_INVALID', 'nonsense\r\n\r\n'],
      [400, 'REQUEST_INVALID', 'GET /health HTTP/1.1\r\nconnection: close\r\n\r\n'],
      [400, 'REQUEST_INVALID', `GET /he\0alth HTTP/1.1\r\n${host}\r\n`],
      [400, 'REQUEST_INVALID', `FOO /health HTTP/1.1\r\n${host}\r\n`],
      [400, 'REQUEST_INVALID', `${post}content-length: many\r\n\r\n`],
      [400, 'REQUEST_INVALID', `${post}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
      [400, 'REQUEST_INVALID', `${post}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`],
      [405, 'METHOD_NOT_ALLOWED', `CONNECT example.com:443 HTTP/1.1\r\n${host}\r\n`],
      [408, 'REQUEST_TOO_SLOW', `GET /health HTTP/1.1\r\n${host}`],
      [408, 'REQUEST_TOO_SLOW', ''],
      [417, 'REQUEST_INVALID', `${post}expect: wonders\r\n\r\n`],
    ]
    const tell = async ([status, code, bytes]: (typeof cases)[number]): Promise<void> => {
      const [head = '', body = ''] = (await raw(server.port, bytes)).split('\r\n\r\n')
      assert.match(head, new RegExp(`^HTTP/1.1 ${status} [^]*x-content-type-options: nosniff`, 'i'), bytes.slice(0, 80))
      assert.equal(JSON.parse(body).error.code, code, bytes.slice(0, 80))
    }
    // It sends nothing, never ends its side, and does not find out that there is nobody on the other.
    const silent = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true }).resume()
    await Promise.all([...cases.map(tell), once(silent, 'end')])
    await until('only the end that is ours is left', () => sockets() === 1)
    silent.destroy()
    // A body would be taken for the next answer.
    const head = await raw(server.port, `HEAD /health HTTP/1.1\r\n${host}${'x: y\r\n'.repeat(10_000)}\r\n`)
    assert.match(head, /^HTTP\/1.1 431 [^]*\r\n\r\n$/)
    assert.equal((await ask('GET', '/health')).status, 200)
    assert.equal(pipeline.isPaused(), false)
  })
})

test('commands are limited, reads are not', async () => {
  await controlled(graphs.pushed, { serve: { commandsPerSecond: 1 } }, async ({ ask, get }) => {
    const statuses: number[] = []
    for (let i = 0; i < 6; i++) statuses.push((await ask('POST', '/pipelines/pushed/resume')).status)
    assert.ok(statuses.includes(429) && statuses[0] === 200, statuses.join())
    const { json, headers } = await ask('POST', '/pipelines/pushed/resume')
    assert.equal(json.error.code, 'COMMANDS_TOO_FAST')
    assert.match(headers.get('retry-after')!, /^[1-9]\d*$/)
    for (let i = 0; i < 50; i++) await get('/pipelines')
  })
})

test('what saves a pipeline waits for no other commands', async () => {
  const a = await run(graphs.pushed)
  const b = await run(graphs.pushed)
  await served({ a, b }, { commandsPerSecond: 1 }, async ({ ask }) => {
    const push = () => ask('POST', '/pipelines/a/records', { node: 'in', record: 1 })
    const statuses: number[] = []
    for (let i = 0; i < 40; i++) statuses.push((await push()).status)
    assert.ok(statuses.includes(429), statuses.join())
    const acts = ['pause', 'sources/in/pause', 'resume', 'drain', 'stop']
    for (const act of acts) assert.ok((await ask('POST', `/pipelines/a/${act}`, {})).status < 300, act)
    for (let i = 0; i < 10; i++) await ask('POST', '/pipelines/a/stop', {})
    assert.equal((await ask('POST', '/pipelines/b/stop', {})).status, 202)
    assert.equal((await ask('PUT', '/log-level', { level: 'info' })).status, 200)
  })
  await Promise.all([a.finished, b.finished])
})

test('a service that gives no token is asked under this machine’s names only, or those that it names', async () => {
  const pipeline = await run(graphs.pushed)
  const app = fastify()
  await app.register(control(pipeline), { prefix: '/mill' })
  await app.register(control(pipeline, { hosts: ['ops.example', '[2001:db8::1]:8080'] }), { prefix: '/named' })
  await app.register(control(pipeline, { token: 't' }), { prefix: '/secret' })
  const status = async (url: string, host: string, more = {}): Promise<number> =>
    (await app.inject({ method: 'GET', url: `${url}/pipelines`, headers: { host, ...more } })).statusCode
  for (const host of ['localhost', '127.0.0.1:80', '[::1]:4480']) assert.equal(await status('/mill', host), 200, host)
  for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', 'ops.example'])
    assert.equal(await status('/mill', host), 403, host)
  assert.equal(await status('/named', 'OPS.example:8443'), 200)
  assert.equal(await status('/named', '[2001:db8::1]'), 200)
  assert.equal(await status('/named', 'evil.example'), 403)
  assert.equal(await status('/secret', 'evil.example', { authorization: 'Bearer t' }), 200)
  const stop = await app.inject({
    method: 'POST',
    url: '/mill/pipelines/pushed/stop',
    headers: { host: 'evil.example' },
  })
  assert.deepEqual([stop.statusCode, stop.json().error.code, pipeline.state], [403, 'ORIGIN_REFUSED', 'running'])
  assert.throws(() => control(pipeline, { hosts: 'ops.example' } as object), { code: 'OPTIONS_INVALID' })
  await app.close()
  await pipeline.stop()
})

test('the bucket of commands fills again with time', () => {
  let now = 0
  const limit = new CommandLimit(2, () => now)
  for (let i = 0; i < 4; i++) limit.take()
  assert.throws(() => limit.take(), { code: 'COMMANDS_TOO_FAST', detail: { waitS: 1 } })
  now = 500
  limit.take()
  assert.throws(() => limit.take(), { code: 'COMMANDS_TOO_FAST' })
  now = 1_000_000
  for (let i = 0; i < 4; i++) limit.take()
  assert.throws(() => limit.take(), { code: 'COMMANDS_TOO_FAST' })
})

test('a service mounts it under a prefix of its own, and keeps its own routes, errors and unknown addresses', async () => {
  const pipeline = await run(graphs.pushed)
  const app = fastify()
  app.get('/own', () => ({ own: true }))
  await app.register(control(pipeline), { prefix: '/ops/mill' })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as { port: number }
  const ask = async (path: string, init?: RequestInit): Promise<any> =>
    (await fetch(`http://127.0.0.1:${port}${path}`, init)).json()
  assert.deepEqual(await ask('/own'), { own: true })
  assert.equal((await ask('/nothing')).error, 'Not Found')
  assert.equal((await ask('/ops/mill/nothing')).error.code, 'ADDRESS_UNKNOWN')
  assert.equal((await ask('/ops/mill/pipelines')).pipelines[0].name, 'pushed')
  assert.equal((await ask('/ops/mill/openapi.json')).servers[0].url, '/ops/mill')
  const page = await fetch(`http://127.0.0.1:${port}/ops/mill`)
  assert.equal(page.url, `http://127.0.0.1:${port}/ops/mill/`)
  assert.match(await page.text(), /src="page\/page\.js"/)
  assert.equal((await ask('/ops/mill/pipelines/pushed/pause', { method: 'POST' })).isPaused, true)
  assert.throws(() => control(pipeline, { maxSubscribers: 0 }), { code: 'OPTIONS_INVALID' })
  await app.close()
  assert.equal(pipeline.state, 'running')
  await pipeline.stop()
})

test('two pipelines of one name are told apart by the names they are given', async () => {
  const [a, b] = [await run(graphs.pushed), await run(graphs.pushed)]
  await served({ a, 'b/1': b }, {}, async ({ ask, get }) => {
    await ask('POST', '/pipelines/b%2F1/pause')
    assert.equal((await get('/pipelines/a')).isPaused, false)
    assert.equal((await get('/pipelines/b%2F1')).isPaused, true)
  })
  await Promise.all([a.stop(), b.stop()])
})
