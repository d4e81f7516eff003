/** Questions over the control API: as the OpenAPI document says, filtered, and without what records hold. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { lineage, MemoryStore, traces } from 'millrace/trace'
import { cli } from '#src/cli/cli.js'
import * as graphs from '../control/graphs.js'
import { controlled } from '../control/harness.js'
import { play } from './model.js'

const played = play(25, { chunks: 30, pipeline: 'mill' })
const store = new MemoryStore()
await store.begin(played.run)
store.write(played.events)
store.write(play(3, { pipeline: 'other' }).events)

test('every answer is what the questions say, and as the OpenAPI document has it', async () => {
  await controlled(graphs.mill, { serve: { traces: store } }, async ({ get, ask }) => {
    const list = await get('/pipelines/mill/traces?limit=7')
    const expected = await traces(store, { pipeline: 'mill', limit: 7 })
    assert.deepEqual(list, expected)
    assert.equal((await get(`/pipelines/mill/traces?cursor=${list.next}&limit=1000`)).traces.length, 23)
    const document = await get('/openapi.json')
    const ajv = new Ajv2020({ strict: false, schemas: [{ $id: '/document', ...document }] })
    const { trace } = expected.traces[0]!
    const { record } = played.ledger.find(({ fate }) => fate === 'written')!
    const asked = {
      '/traces': '/traces',
      '/traces/{trace}': `/traces/${trace}`,
      '/lineage/{record}': `/lineage/${record}?dir=up`,
      '/dependencies': '/dependencies',
      '/transfers': '/transfers?by=service&limit=3',
      '/paths': '/paths',
      '/audit': '/audit',
    }
    for (const [path, address] of Object.entries(asked)) {
      const { schema, example, examples } =
        document.paths[`/pipelines/{pipeline}${path}`].get.responses['200'].content['application/json']
      const isValid = ajv.compile(schema)
      assert.ok(isValid(await get(`/pipelines/mill${address}`)), `${path}: ${ajv.errorsText(isValid.errors)}`)
      const given = [example, ...Object.values<any>(examples ?? {}).map(({ value }) => value)].filter(
        (each) => each !== undefined,
      )
      assert.ok(
        given.length > 0 && given.every((each) => isValid(each)),
        `example of ${path}: ${ajv.errorsText(isValid.errors)}`,
      )
    }
    const up = await lineage(store, record, { pipeline: 'mill', direction: 'up' })
    assert.equal((await get(`/pipelines/mill/lineage/${record}?dir=up`)).steps.length, up!.steps.length)
    const tenants = await get('/pipelines/mill/traces?attr=tenant=t1,isLarge=true&limit=1000')
    const filter = { pipeline: 'mill', attributes: { tenant: 't1', isLarge: 'true' } }
    assert.equal(tenants.total, (await traces(store, filter)).total)
    for (const [path, status, code] of [
      [`/traces/${'f'.repeat(32)}`, 404, 'TRACE_UNKNOWN'],
      [`/lineage/${'f'.repeat(16)}`, 404, 'TRACE_UNKNOWN'],
      ['/lineage/xyz', 400, 'REQUEST_INVALID'],
      ['/traces?status=fine', 400, 'REQUEST_INVALID'],
      ['/traces?attr=x', 400, 'REQUEST_INVALID'],
      ['/traces?limit=0', 400, 'REQUEST_INVALID'],
      ['/transfers?by=luck', 400, 'REQUEST_INVALID'],
    ] as const) {
      const answer = await ask('GET', `/pipelines/mill${path}`)
      assert.deepEqual([answer.status, answer.json.error.code], [status, code], path)
    }
    const { traces: failed } = await get('/pipelines/mill/traces?error=HANDLER_FAILED*')
    assert.ok(failed.length > 0)
    assert.equal((await get('/pipelines/mill/traces?error=*no 1*')).total, 0)
    const shown = JSON.stringify(
      await Promise.all(failed.map((each: { trace: string }) => get(`/pipelines/mill/traces/${each.trace}`))),
    )
    assert.doesNotMatch(shown, /"content"|no \d/)
  })
})

test('contents and texts of errors are shown with showRecords; without a store there is nothing to ask', async () => {
  await controlled(graphs.mill, { serve: { traces: store, showRecords: true } }, async ({ get }) => {
    assert.ok((await get('/pipelines/mill/traces?error=*no 1*')).total > 0)
  })
  await controlled(graphs.mill, {}, async ({ ask }) => {
    for (const path of ['traces', 'dependencies', 'audit', 'tracing'])
      assert.equal((await ask('GET', `/pipelines/mill/${path}`)).json.error.code, 'TRACING_OFF')
    assert.equal((await ask('PUT', '/pipelines/mill/tracing', { rate: 1 })).status, 409)
  })
})

const ask = async (...args: string[]): Promise<{ code: number; out: string }> => {
  const out: string[] = []
  const code = await cli(['trace', ...args, '--token', 'secret'], {
    print: (line) => void out.push(line),
    warn: (line) => void out.push(line),
    color: false,
  })
  return { code, out: out.join('\n') }
}

test('the command asks a running pipeline as it asks a store', async () => {
  await controlled(graphs.mill, { serve: { traces: store, token: 'secret' } }, async ({ server }) => {
    const list = await ask('list', server.url, '--json', '--limit', '7', '--node', '*', '--attr', 'tenant=t*')
    assert.equal(list.code, 0, list.out)
    assert.deepEqual(
      JSON.parse(list.out),
      JSON.parse(JSON.stringify(await traces(store, { pipeline: 'mill', limit: 7, attributes: { tenant: 't*' } }))),
    )
    const [{ trace }] = (JSON.parse(list.out) as { traces: [{ trace: string }] }).traces
    const { record } = played.ledger[0]!
    for (const [args, text] of [
      [['show', server.url, trace], /Critical path/],
      [['lineage', server.url, record], /Its results/],
      [['lineage', server.url, record, '--up'], /Where it came from/],
      [['dependencies', server.url, '--from', '2026-01-01'], /FROM +TO/],
      [['slow', server.url, '--by', 'service', '--limit', '2'], /WAITED/],
      [['paths', server.url], /P50/],
      [['audit', server.url], /The books balance/],
    ] as const) {
      const { code, out } = await ask(...args)
      assert.equal(code, 0, out)
      assert.match(out, text)
    }
    assert.equal((await ask('export', server.url, '--format', 'svg')).code, 2)
    assert.deepEqual(
      [(await ask('show', server.url, 'f'.repeat(32))).code, (await ask('list', `${server.url}/no`)).code],
      [1, 1],
    )
  })
})
