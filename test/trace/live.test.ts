/** A traced pipeline under the control API: what is chosen is changed, what the tracer counts is told, and it answers from memory. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { type PipelineEvent, run } from 'millrace'
import { cli } from '#src/cli/cli.js'
import { controlled, served, until } from '../control/harness.js'
import { collect } from '../run/harness.js'
import { COUNT, failing, mixed, stream, throwing } from './graphs.js'

const ALL = { rate: 1, recent: 100_000, ring: 16_777_216, side: 16_777_216 }

test('what is traced is changed while it runs, by the API, the client and the command', async () => {
  await controlled(stream, { run: { trace: { rate: 0 } } }, async ({ get, ask, server, pipeline }) => {
    const document = await get('/openapi.json')
    const ajv = new Ajv2020({ strict: false, schemas: [{ $id: '/document', ...document }] })
    const { schema } = document.paths['/pipelines/{pipeline}/tracing'].get.responses['200'].content['application/json']
    const isValid = ajv.compile(schema)
    const before = await get('/pipelines/stream/tracing')
    assert.equal(ajv.validate(schema, before), true, ajv.errorsText())
    assert.deepEqual([before.rate, before.every, before.tracer.read, before.isStored], [0, 0, 0, false])
    const put = await ask('PUT', '/pipelines/stream/tracing', { rate: 1 })
    assert.equal(put.json.rate, 1)
    await until('traces', async () => (await get('/pipelines/stream/traces?status=ok')).total > 10)
    const [{ trace }] = (await get('/pipelines/stream/traces?status=ok&limit=1')).traces
    assert.ok((await get(`/pipelines/stream/traces/${trace}`)).spans.some(({ event }: any) => event.kind === 'end'))
    for (const [body, code] of [
      [{ rate: 2 }, 'REQUEST_INVALID'],
      [{ every: 0.5 }, 'REQUEST_INVALID'],
      [{ share: 1 }, 'REQUEST_INVALID'],
    ] as const)
      assert.equal((await ask('PUT', '/pipelines/stream/tracing', body)).json.error.code, code)
    const out: string[] = []
    const output = {
      print: (line: string) => void out.push(line),
      warn: (line: string) => void out.push(line),
      color: false,
    }
    assert.equal(await cli(['trace', 'rate', server.url, '--rate', '0', '--every', '50'], output), 0, out.join())
    assert.deepEqual(pipeline.tracing!.rates, { rate: 0, every: 50 })
    assert.match(out.join('\n'), /0 % of the chunks, and one in 50/)
    assert.equal(await cli(['trace', 'rate', server.url, '--json'], output), 0)
    assert.ok(isValid(JSON.parse(out.at(-1)!)))
    assert.equal(await cli(['trace', 'rate', server.url, '--rate', '2'], output), 2)
    assert.equal(await cli(['trace', 'rate', 'somewhere'], output), 2)
  })
})

const value = (text: string, name: string): number =>
  Number(new RegExp(`^millrace_trace_${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 'NaN')

test('/metrics has the figures of the tracer and of its sinks', async () => {
  await controlled(stream, { run: { trace: { rate: 1 } } }, async ({ ask, pipeline }) => {
    pipeline.tracing!.add({
      name: 'broken',
      write() {
        throw new Error('no')
      },
    })
    await until('counted', async () => {
      const { text } = await ask('GET', '/metrics')
      return (
        value(text, 'events_total\\{pipeline="stream"\\}') > 100 &&
        value(text, 'rate\\{pipeline="stream"\\}') === 1 &&
        value(text, 'dropped_events_total\\{pipeline="stream"\\}') === 0 &&
        value(text, 'written_events_total\\{pipeline="stream",sink="recent"\\}') > 0 &&
        value(text, 'sink_dropped_error_events_total\\{pipeline="stream",sink="broken"\\}') > 0
      )
    })
  })
})

test('the dependency map of the whole run has the exact counts of all traffic, whatever is traced', async () => {
  for (const rate of [0, 0.2]) {
    const pipeline = await run(mixed, { trace: { rate } })
    const outputs = pipeline.output('out')
    for await (const _ of outputs);
    await pipeline.finished
    await served(pipeline, {}, async ({ get }) => {
      const { dependencies } = await get('/pipelines/mixed/dependencies')
      const records = Object.fromEntries(dependencies.map(({ edge, records: count }: any) => [edge, count]))
      assert.deepEqual([records[0], records[1], records[2]], [COUNT, COUNT / 2, COUNT])
      assert.ok(dependencies.every(({ isExact }: any) => isExact))
      const part = (await get('/pipelines/mixed/dependencies?from=0')).dependencies
      assert.ok(part.every(({ isExact }: any) => !isExact))
      assert.equal(part.length, rate === 0 ? 0 : 4)
    })
  }
})

test('at 100 % the events count what the counters do: each record arrives once, retried, filtered or not', async () => {
  for (const graph of [mixed, failing]) {
    const { pipeline } = await collect(graph, { trace: ALL })
    await served(pipeline, {}, async ({ get }) => {
      const by = async (query: string): Promise<unknown> =>
        (await get(`/pipelines/${graph.name}/dependencies${query}`)).dependencies.map(({ edge, records }: any) => [
          edge,
          records,
        ])
      assert.deepEqual(await by('?from=0'), await by(''))
    })
  }
})

test('a predicate that throws chooses nothing, holds up nothing, and is counted and reported', async () => {
  const pipeline = await run(throwing, { trace: { recent: 100_000 } })
  const failed: PipelineEvent[] = []
  pipeline.events.on('trace.failed', (event) => failed.push(event))
  let arrived = 0
  for await (const _ of pipeline.output('out')) arrived++
  await pipeline.finished
  assert.equal(arrived, COUNT)
  const { threw } = await pipeline.tracing!.metrics()
  assert.equal(threw, COUNT / 2)
  assert.equal((await pipeline.tracing!.recent()).length, COUNT / 1_000)
  assert.match((failed[0]!['error'] as Error).message, /no word of \d+/)
})

test('pauses stand on the time line of the traces', async () => {
  await controlled(stream, { run: { trace: { rate: 1 } } }, async ({ ask, pipeline }) => {
    await ask('POST', '/pipelines/stream/pause')
    // Twice is once.
    await ask('POST', '/pipelines/stream/sources/numbers/pause')
    await ask('POST', '/pipelines/stream/resume')
    const kinds = (await pipeline.tracing!.lifecycle()).map(({ kind, node }) => `${kind} ${node}`)
    assert.deepEqual(
      kinds.filter((kind) => /paused|resumed/.test(kind)),
      ['paused numbers', 'resumed numbers'],
    )
  })
})
