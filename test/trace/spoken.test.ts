/** What handlers say of traced records, what is shown of them, and how traces go on from elsewhere and to elsewhere. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from 'millrace'
import type { TraceEvent } from 'millrace/trace'
import { Spans } from '#src/trace/otlp/spans.js'
import { served, until } from '../control/harness.js'
import { collect } from '../run/harness.js'
import { continued, ORDERS, spoken } from './spoken.js'

const ALL = { rate: 1, recent: 100_000, ring: 16_777_216, side: 16_777_216 }

async function told(trace: object): Promise<{
  events: TraceEvent[]
  refused: number
  out: Record<string, unknown>[]
  truncated: number
}> {
  const { pipeline, outputs } = await collect(spoken, { trace: { ...ALL, ...trace } })
  const traces = await pipeline.tracing!.recent()
  const events = new Map(traces.flatMap((each) => each.events).map((event) => [event.sequence, event]))
  const { refused, truncated } = await pipeline.tracing!.metrics()
  return { events: [...events.values()], refused, truncated, out: outputs['out'] as Record<string, unknown>[] }
}

const REFUSED_EACH = 4

test('attributes stand in the event of their records, bounded; what is refused is counted', async () => {
  const { events, refused } = await told({})
  const at = (node: string): TraceEvent[] => events.filter((event) => event.node === node && event.kind !== 'end')
  assert.equal(at('price').length, ORDERS)
  for (const { attributes } of at('price')) {
    const { order } = attributes!
    assert.deepEqual(attributes, {
      customer: `c${((order as number) - 0.5) % 7}`,
      order,
      isFirst: order === 0.5,
    })
  }
  assert.equal(refused, REFUSED_EACH * ORDERS + ORDERS / 100)
  assert.ok(at('later').every(({ attributes }) => attributes?.['when'] === 'later'))
  const packed = at('pack').filter(({ isPart }) => isPart !== true)
  assert.equal(
    packed.reduce((sum, { attributes }) => sum + (attributes!['packed'] as number), 0),
    ORDERS,
  )
})

test('content is what redact gives, cut to its size; without redact only names and types; a secret is nowhere', async () => {
  const { events } = await told({})
  const contents = (node: string): string[] =>
    events.filter((event) => event.node === node).flatMap(({ content = [] }) => content.map(({ json }) => json))
  const prices = contents('price')
  assert.equal(prices.length, ORDERS)
  assert.equal(prices.filter((json) => json === '"[redact threw]"').length, ORDERS / 100)
  assert.ok(prices.includes('{"id":3,"customer":"c3"}'))
  for (const json of contents('later')) {
    const { id, customer, secret } = JSON.parse(json) as Record<string, unknown>
    assert.deepEqual([id, customer, secret], ['number', 'string', 'string'])
  }
  for (const { content = [] } of events.filter(({ node, isPart }) => node === 'pack' && isPart !== true)) {
    assert.equal(content.length, 1)
    for (const { json } of content) assert.ok(Buffer.byteLength(json) <= 100, json)
  }
  assert.ok(contents('pack').length > 0)
  assert.equal(contents('out').length, 0)
  assert.doesNotMatch(JSON.stringify(events), /hush/)
})

test('a side ring without room costs attributes and content first, and never what a chain needs', async () => {
  const { events, truncated } = await told({ side: 1_024 })
  assert.ok(truncated > 0)
  for (const { isTruncated, attributes, content, inputs } of events) {
    if (!isTruncated) continue
    assert.deepEqual([attributes, content], [undefined, undefined])
    assert.ok(inputs.length > 0)
  }
})

test('checksums and types where they are asked for: the same frame has the same sum', async () => {
  for (const [checksum, digits] of [
    ['crc32', 8],
    ['sha256', 64],
  ] as const) {
    const { events } = await told({ checksum, types: true })
    const hops = events.filter(({ node, kind }) => node === 'price' && kind === 'hop')
    assert.ok(hops.every((event) => new RegExp(`^[0-9a-f]{${digits}}$`).test(event.checksum!)))
    assert.ok(new Set(hops.map((event) => event.checksum)).size > ORDERS / 2)
    assert.ok(hops.every(({ attributes }) => attributes!['millrace.type'] === '{ id, customer, secret }'))
  }
  const { events } = await told({})
  assert.ok(
    events.every(({ checksum, attributes }) => checksum === undefined && !('millrace.type' in { ...attributes })),
  )
})

test('the API shows content only with showRecords', async () => {
  const pipeline = await run(spoken, { trace: ALL })
  for await (const _ of pipeline.output('out'));
  await pipeline.finished
  for (const showRecords of [false, true])
    await served(pipeline, { showRecords }, async ({ get }) => {
      const [{ trace }] = (await get('/pipelines/spoken/traces?node=price&limit=1')).traces
      const text = JSON.stringify(await get(`/pipelines/spoken/traces/${trace}`))
      assert.equal(/"content"/.test(text), showRecords)
      assert.match(text, /"customer":"c\d"/)
    })
})

test('context.trace names the span that tells of the call, for calls of every kind', async () => {
  const { events, out } = await told({})
  const spans = new Map(new Spans().of(events).map((span) => [`00-${span.traceId}-${span.spanId}-01`, span]))
  assert.equal(out.length, ORDERS)
  for (const [field, node] of [
    ['traceparent', 'price'],
    ['laterparent', 'later'],
    ['packparent', 'pack'],
  ] as const) {
    const names = new Set(out.map((record) => spans.get(record[field] as string)?.name))
    assert.deepEqual([...names], [`process ${node}`])
  }
})

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

test('a traceparent is continued from push, call and HTTP, chosen or not, and handed to handlers', async () => {
  const pipeline = await run(continued, { trace: { rate: 0 } })
  try {
    const of = async (traceparent?: string): Promise<any> =>
      ((await pipeline.call('in', 1, traceparent === undefined ? {} : { traceparent })) as { trace: unknown }).trace
    const given = await of(PARENT)
    assert.equal(given.id, '0af7651916cd43dd8448eb211c80319c')
    assert.equal(given.traceparent, `00-${given.id}-${given.spanId}-01`)
    assert.notEqual(given.spanId, 'b7ad6b7169203331')
    for (const other of [
      undefined,
      PARENT.replace(/01$/, '00'),
      'nonsense',
      `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    ])
      assert.equal(await of(other), null, other)
    const output = pipeline.output('out')
    const receipt = await pipeline.push('in', 2, { traceparent: PARENT })
    assert.equal((await output.next()).value.trace.id, given.id)
    const rest = (async () => {
      for await (const _ of output);
    })()
    await receipt.done
    await served(pipeline, {}, async ({ ask, get }) => {
      const body = { node: 'in', record: 3, waitMs: 10_000 }
      const { json } = await ask('POST', '/pipelines/continued/records', body, { traceparent: PARENT })
      assert.equal(json.state, 'acked')
      const all = await until('three traces', async () => {
        const list = await get('/pipelines/continued/traces')
        return list.total === 3 && list
      })
      assert.equal((await get(`/pipelines/continued/traces?attr=millrace.traceparent=${PARENT}`)).total, all.total)
    })
    const events = (await pipeline.tracing!.recent()).flatMap((trace) => trace.events)
    const spans = new Spans().of(events)
    assert.deepEqual([...new Set(spans.map(({ traceId }) => traceId))], ['0af7651916cd43dd8448eb211c80319c'])
    const roots = spans.filter(({ name }) => name === 'send in')
    assert.deepEqual(
      roots.map(({ parentSpanId }) => parentSpanId),
      Array.from({ length: 3 }, () => 'b7ad6b7169203331'),
    )
    await pipeline.drain()
    await rest
  } finally {
    await pipeline.stop()
  }
})
