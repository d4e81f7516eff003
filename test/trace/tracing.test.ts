/** Tracing on real workers: what is chosen, that chains are whole, and that what is missing is said. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GraphData, Pipeline, RunOptions } from 'millrace'
import { type KeptTrace, type TraceEvent, recordIdAt } from 'millrace/trace'
import { collect } from '../run/harness.js'
import { COUNT, FEW, chosen, failing, mixed, single } from './graphs.js'

const ALL = { rate: 1, recent: 100_000, ring: 16_777_216, side: 16_777_216 }

async function traced(
  graph: GraphData,
  trace: RunOptions['trace'],
): Promise<{ traces: readonly KeptTrace[]; pipeline: Pipeline; outputs: Record<string, unknown[]> }> {
  const { pipeline, outputs } = await collect(graph, { trace: { recent: 100_000, ...trace } })
  return { traces: await pipeline.tracing!.recent(), pipeline, outputs }
}

const kindsOf = ({ events }: KeptTrace): string[] => events.map(({ kind, node }) => `${kind} ${node}`).sort()

const ids = (records: TraceEvent['inputs']): string[] =>
  records.flatMap((each) => Array.from({ length: each.count }, (_, i) => recordIdAt(each, i)))

/** Every record that was sent has come somewhere, and every record that came was sent. */
function assertWhole(events: readonly TraceEvent[]): void {
  const sent = new Set(events.flatMap(({ outputs }) => ids(outputs)))
  const came = new Set(events.filter(({ kind }) => kind !== 'open').flatMap(({ inputs }) => ids(inputs)))
  assert.deepEqual(
    [...sent].filter((id) => !came.has(id)),
    [],
  )
  assert.deepEqual(
    [...came].filter((id) => !sent.has(id)),
    [],
  )
}

test('at 100 % every record has its way', async () => {
  const { traces, pipeline } = await traced(single, ALL)
  assert.equal(traces.length, COUNT)
  for (const trace of traces) {
    assert.deepEqual(kindsOf(trace), ['end numbers', 'hop double', 'hop out', 'open numbers'])
    assert.ok(trace.hasEnded)
  }
  assertWhole(traces.flatMap(({ events }) => events))
  const { dropped, truncated, read } = await pipeline.tracing!.metrics()
  assert.deepEqual({ dropped, truncated, read }, { dropped: 0, truncated: 0, read: 4 * COUNT })
})

test('through filters, several records for one, and batches', async () => {
  const { traces } = await traced(mixed, ALL)
  const events = [...new Set(traces.flatMap((trace) => trace.events))]
  const records = (kind: string, of: 'inputs' | 'outputs'): number =>
    events
      .filter((event) => event.kind === kind)
      // What did not fit at once is told in parts, and each part names the inputs.
      .filter(({ isPart }) => of === 'outputs' || isPart !== true)
      .flatMap((event) => event[of])
      .reduce((sum, { count }) => sum + count, 0)
  assert.equal(records('emit', 'inputs'), COUNT / 2)
  assert.equal(records('emit', 'outputs'), COUNT)
  assert.equal(records('batch', 'inputs'), COUNT)
  assert.equal(
    events.filter(({ kind }) => kind === 'filter').reduce((sum, { records: filtered }) => sum + filtered!, 0),
    COUNT / 2,
  )
  assert.ok(traces.every(({ hasEnded }) => hasEnded))
  assert.ok(events.every(({ isIncomplete, isTruncated }) => !isIncomplete && !isTruncated))
})

test('at 1 % the share is right, and each chain is whole', async () => {
  const { traces } = await traced(single, { rate: 0.01 })
  const expected = COUNT / 100
  assert.ok(Math.abs(traces.length - expected) <= 3 * Math.sqrt(expected), `${traces.length} of ${expected}`)
  for (const trace of traces) assert.deepEqual(kindsOf(trace), ['end numbers', 'hop double', 'hop out', 'open numbers'])
})

test('rings of the smallest size: what is dropped is counted, and its slots say so', async () => {
  const { traces, pipeline } = await traced(single, { rate: 1, ring: 1_024, side: 1_024 })
  const { dropped, read } = await pipeline.tracing!.metrics()
  // Under pressure sources trace fewer slots; what they have chosen makes four events each.
  const opened = pipeline.snapshot().nodes['numbers']!.in
  assert.ok(read + dropped <= 4 * opened)
  assert.equal((read + dropped) % 4, 0)
  for (const trace of traces) {
    const end = trace.events.find(({ kind }) => kind === 'end')
    if (end === undefined || end.isIncomplete) continue
    assert.deepEqual(kindsOf(trace), ['end numbers', 'hop double', 'hop out', 'open numbers'])
  }
})

test('a predicate chooses records; every n-th; always and never by node', async () => {
  assert.equal((await traced(chosen, {})).traces.length, COUNT / 1_000)
  assert.equal((await traced(single, { every: 100 })).traces.length, COUNT / 100)
  assert.equal((await traced(single, { always: ['double'] })).traces.length, COUNT)
  assert.equal((await traced(single, { always: ['double'], never: ['numbers'] })).traces.length, 0)
  const { traces } = await traced(single, { every: 1_000, never: ['double'] })
  for (const trace of traces) assert.deepEqual(kindsOf(trace), ['end numbers', 'hop out', 'open numbers'])
})

test('tails: what failed is kept, and what went well is forgotten', async () => {
  const { traces, pipeline } = await traced(failing, { tail: true, ring: 16_777_216 })
  const dead = traces.filter(({ events }) => events.some(({ kind }) => kind === 'dead'))
  assert.equal(dead.length, FEW / 1_000)
  for (const { events } of dead) assert.deepEqual(events.find(({ kind }) => kind === 'dead')?.error?.code, 'Error')
  // The slowest 1 %, and ten more: while the lanes fill, each trace is slower than those before it.
  assert.ok(traces.length - dead.length <= FEW / 100 + 10, `${traces.length} are kept`)
  const { forgotten, read } = await pipeline.tracing!.metrics()
  const kept = traces.reduce((sum, { events }) => sum + events.length, 0)
  assert.equal(forgotten, read - kept)
})
