/** OTLP/HTTP against a real server that answers, refuses, waits, cuts, and never answers. */
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { OtlpExporter, type OtlpOptions, otlpFromEnvironment } from '#src/trace/otlp/exporter.js'
import { retryAfterMs } from '#src/trace/otlp/post.js'
import { type OtlpSpan, Spans } from '#src/trace/otlp/spans.js'
import type { TraceEvent } from '#src/trace/event.js'
import { Senders } from '#src/trace/questions/senders.js'
import { play } from './model.js'

interface Body {
  readonly resourceSpans: readonly {
    readonly resource: {
      readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue: string } }[]
    }
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[]
  }[]
}

type Answer = (request: IncomingMessage, response: ServerResponse, body: Body) => void

const take: Answer = (_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
const busy: Answer = (_, response) => void response.writeHead(429, { 'retry-after': '0' }).end()
const away: Answer = (_, response) => void response.writeHead(503).end('<html>')
const cut: Answer = (request) => void request.socket.destroy()
const silent: Answer = () => undefined
const refuse: Answer = (_, response) => void response.writeHead(400).end()
const partial: Answer = (_, response) =>
  void response.writeHead(200).end(JSON.stringify({ partialSuccess: { rejectedSpans: '7', errorMessage: 'too old' } }))

/** A collector that answers as it is told, one answer after the other; the last one goes on. */
async function collector(
  ...answers: Answer[]
): Promise<{ url: string; bodies: Body[]; headers: IncomingMessage['headers'][] }> {
  const bodies: Body[] = []
  const headers: IncomingMessage['headers'][] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const bytes = Buffer.concat(parts)
      const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes
      const body = JSON.parse(text.toString()) as Body
      bodies.push(body)
      headers.push(request.headers)
      const answer = answers.length > 1 ? answers.shift()! : answers[0]!
      answer(request, response, body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`, bodies, headers }
}

const spansIn = (bodies: readonly Body[]): OtlpSpan[] =>
  bodies.flatMap(({ resourceSpans }) =>
    resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
  )

const { events } = play(31, { chunks: 30, trouble: 0.2 })

async function sent(url: string, options: Partial<OtlpOptions> = {}, given = events): Promise<OtlpExporter> {
  const exporter = new OtlpExporter({ url, pauseMs: 5, maxPauseMs: 40, ...options })
  exporter.write(given)
  await exporter.close()
  return exporter
}

test('every event arrives as a span, in batches, packed, with the right ids, kinds and headers', async () => {
  const { url, bodies, headers } = await collector(take)
  const exporter = await sent(url, {
    batch: 50,
    headers: { 'x-key': 'k' },
    resource: { 'deployment.environment': 'test' },
  })
  const spans = spansIn(bodies)
  const expected = new Spans()
  const ids = events.map((event) => expected.idOf(event))
  assert.equal(bodies.length, Math.ceil(events.length / 50))
  assert.deepEqual(
    spans.map(({ spanId }) => spanId),
    ids,
  )
  assert.equal(new Set(ids).size, events.length)
  assert.deepEqual([headers[0]!['content-encoding'], headers[0]!['x-key']], ['gzip', 'k'])
  const resource = Object.fromEntries(
    bodies[0]!.resourceSpans[0]!.resource.attributes.map(({ key, value }) => [key, value.stringValue]),
  )
  assert.deepEqual([resource['service.name'], resource['deployment.environment']], ['model', 'test'])
  for (const [i, span] of spans.entries()) {
    const { kind, outcome, takenAt } = events[i]!
    assert.match(span.traceId, /^[\da-f]{32}$/)
    assert.match(span.spanId, /^[\da-f]{16}$/)
    assert.equal(span.kind, { open: 4, end: 1 }[kind as string] ?? 5)
    assert.equal(span.startTimeUnixNano, `${Math.round(takenAt * 1_000)}000`)
    assert.equal(span.status.code, outcome === 'ok' || outcome === 'filtered' ? undefined : 2)
  }
  assert.deepEqual(
    [exporter.stats().written, exporter.stats().dropped, exporter.stats().rejected],
    [events.length, 0, 0],
  )
})

test('one parent in the same trace is the parent; joins link to all that came in, attempts to the one before', () => {
  const made = new Spans()
  const spans = new Map(made.of(events).map((span) => [span.spanId, span]))
  const spanIdOf = (event: TraceEvent): string => made.idOf(event)
  const senders = new Senders(events)
  for (const event of events.filter(({ inputs }) => inputs.length > 0)) {
    const { parentSpanId, links = [], traceId } = spans.get(spanIdOf(event))!
    const expected = [...senders.of(event)].map((sender) => [sender.traces[0]!, spanIdOf(sender)] as const)
    const before = senders.attemptBefore(event)
    const related = new Set([
      ...(parentSpanId === undefined ? [] : [parentSpanId]),
      ...links.map(({ spanId }) => spanId),
    ])
    for (const [, id] of expected) assert.ok(related.has(id))
    if (expected.length === 1 && expected[0]![0] === traceId) assert.equal(parentSpanId, expected[0]![1])
    if (before !== undefined) assert.ok(links.some(({ spanId }) => spanId === spanIdOf(before)))
  }
})

test('of more than 128 links the rest is counted', () => {
  const opens = events.filter(({ kind }) => kind === 'open')
  const all = Array.from({ length: 150 }, (_, i): TraceEvent => {
    const open = opens[i % opens.length]!
    return {
      ...open,
      sequence: 10_000 + i,
      outputs: [{ edge: 0, base: i.toString(16).padStart(16, '0'), first: 0, count: 1 }],
    }
  })
  const batch: TraceEvent = {
    ...opens[0]!,
    kind: 'batch',
    sequence: 20_000,
    inputs: all.flatMap(({ outputs }) => outputs),
    outputs: [],
  }
  const span = new Spans().of([...all, batch]).at(-1)!
  assert.deepEqual([span.links?.length, span.droppedLinksCount], [128, 22])
})

test('429 with Retry-After, 503, a cut connection and silence are tried again; nothing is sent twice that was taken', async () => {
  const { url, bodies } = await collector(busy, away, cut, silent, take)
  const exporter = await sent(url, { timeoutMs: 300, attempts: 6 })
  assert.equal(bodies.length, 5)
  assert.ok(bodies.every((body) => spansIn([body]).length === events.length))
  assert.deepEqual([exporter.stats().written, exporter.stats().dropped], [events.length, 0])
})

test('what is refused is dropped at once and counted; so is what is never taken', async () => {
  const { url, bodies } = await collector(refuse, take)
  const exporter = await sent(url, { batch: 100 })
  const { written, dropped, failures, lastFailure } = exporter.stats()
  assert.deepEqual([written, dropped, failures], [events.length - 100, 100, 1])
  assert.match(lastFailure!, /400/)
  assert.equal(spansIn(bodies).length, events.length)
  const never = await collector(() => undefined)
  const given = await sent(never.url, { timeoutMs: 1_000, attempts: 2 })
  assert.deepEqual([given.stats().written, given.stats().dropped, never.bodies.length], [0, events.length, 2])
  const nobody = await sent('http://127.0.0.1:1/v1/traces', { attempts: 2 })
  assert.equal(nobody.stats().dropped, events.length)
})

test('spans that the collector rejects are counted; a redirect is not followed', async () => {
  const { url } = await collector(partial)
  assert.equal((await sent(url)).stats().rejected, 7)
  const other = await collector(take)
  const moved = await collector((_, response) => void response.writeHead(307, { location: other.url }).end())
  const exporter = await sent(moved.url, { attempts: 1 })
  assert.deepEqual([exporter.stats().dropped, other.bodies.length], [events.length, 0])
})

test('a collector that never answers holds up neither writer nor close for longer than it may', async () => {
  const { url } = await collector(() => undefined)
  const exporter = new OtlpExporter({ url, batch: 10, maxPending: 20, timeoutMs: 60_000, closeMs: 100 })
  for (const event of events) exporter.write([event])
  await exporter.close()
  const { written, dropped } = exporter.stats()
  assert.deepEqual([written, dropped], [0, events.length])
})

test('the environment names the collector as the specification has it', () => {
  assert.equal(otlpFromEnvironment({}), undefined)
  const found = otlpFromEnvironment({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x, k=v=w',
    OTEL_RESOURCE_ATTRIBUTES: 'a=b',
    OTEL_SERVICE_NAME: 'orders',
    OTEL_EXPORTER_OTLP_TIMEOUT: '2500',
  })!
  assert.deepEqual(found, {
    url: 'http://collector:4318/v1/traces',
    headers: { authorization: 'Bearer x', k: 'v=w' },
    resource: { a: 'b', 'service.name': 'orders' },
    compression: 'gzip',
    timeoutMs: 2_500,
  })
  assert.equal(otlpFromEnvironment({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c/x' })!.url, 'http://c/x')
  assert.deepEqual([retryAfterMs('2'), retryAfterMs(null), retryAfterMs('soon')], [2_000, undefined, undefined])
  assert.ok(retryAfterMs(new Date(Date.now() + 60_000).toUTCString())! > 50_000)
})
