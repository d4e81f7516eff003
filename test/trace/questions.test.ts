/** Questions about the events of random graphs, against what the model knows and what brute force finds. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { TraceEvent } from '#src/trace/event.js'
import { audit } from '#src/trace/questions/audit.js'
import { dependencies } from '#src/trace/questions/dependencies.js'
import { paths } from '#src/trace/questions/paths.js'
import { slowTransfers } from '#src/trace/questions/slow.js'
import { trace } from '#src/trace/questions/trace-view.js'
import { type TraceListOptions, traces } from '#src/trace/questions/traces.js'
import { matches } from '#src/trace/questions/wildcard.js'
import { MemoryStore } from '#src/trace/store/memory-store.js'
import { type Played, play } from './model.js'

function storeOf(events: readonly TraceEvent[], run?: Played['run']): MemoryStore {
  const store = new MemoryStore()
  if (run !== undefined) void store.begin(run)
  store.write(events)
  return store
}

const seeds = fc.nat()

test('a star stands for anything', () => {
  const texts = fc.stringMatching(/^[ab]{0,8}$/)
  fc.assert(
    fc.property(fc.stringMatching(/^[ab*]{0,6}$/), texts, (pattern, text) => {
      assert.equal(matches(pattern, text), new RegExp(`^${pattern.replaceAll(/\*+/g, '.*')}$`).test(text))
    }),
  )
})

/** Filters, and what each says of an event or of all events of a trace. */
const FILTERS: readonly (readonly [TraceListOptions, (event: TraceEvent) => boolean])[] = [
  [{}, () => true],
  [{ node: 'map*' }, ({ node }) => node.startsWith('map')],
  [{ node: 'out' }, ({ node }) => node === 'out'],
  [{ edge: 1 }, ({ inputs, outputs }) => [...inputs, ...outputs].some(({ edge }) => edge === 1)],
  [{ kind: 'retry' }, ({ kind }) => kind === 'retry'],
  [{ kind: '*' }, () => true],
  [{ outcome: 'd*' }, ({ outcome }) => outcome.startsWith('d')],
  [{ attributes: { tenant: 't1' } }, ({ attributes }) => attributes?.['tenant'] === 't1'],
  [{ attributes: { isLarge: 'true', tenant: 't*' } }, ({ attributes }) => attributes?.['isLarge'] === true],
  [{ minServiceMs: 0.9 }, ({ serviceMs }) => serviceMs >= 0.9],
  [
    { minBytes: 100 },
    ({ inputs, outputs }) => [...inputs, ...outputs].reduce((sum, { bytes = 0 }) => sum + bytes, 0) >= 100,
  ],
  [{ error: '*no 1*' }, ({ error }) => error?.message === 'no 1'],
]

test('filters pick the traces that brute force picks, newest first, and pages make up the whole', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, fc.integer({ min: 1, max: 5 }), async (seed, limit) => {
      const { events } = play(seed, { chunks: 12, trouble: 0.2 })
      const store = storeOf(events)
      for (const [filter, holds] of FILTERS) {
        const expected = [...new Set(events.filter(holds).flatMap((event) => event.traces))].sort()
        const found = []
        let cursor: string | undefined
        do {
          const page = await traces(store, { ...filter, limit, cursor })
          assert.equal(page.total, expected.length)
          assert.ok(page.traces.length <= limit)
          found.push(...page.traces)
          cursor = page.next
        } while (cursor !== undefined)
        assert.deepEqual(found.map((each) => each.trace).sort(), expected, JSON.stringify(filter))
        const starts = found.map(({ startedAt }) => startedAt)
        assert.deepEqual(
          starts,
          starts.toSorted((a, b) => b - a),
        )
      }
    }),
    { numRuns: 25 },
  )
})

test('traces are found by status, duration, time and record', async () => {
  const { events, ledger } = play(7, { chunks: 40, trouble: 0.15, unfinished: 3 })
  const store = storeOf(events)
  const all = (await traces(store, { limit: 1_000 })).traces
  assert.deepEqual([...new Set(all.map(({ status }) => status))].sort(), ['failed', 'ok', 'open'])
  for (const status of ['ok', 'failed', 'open'] as const) {
    const { traces: found } = await traces(store, { status, limit: 1_000 })
    assert.deepEqual(
      found,
      all.filter((each) => each.status === status),
    )
  }
  const { traces: long } = await traces(store, { minMs: 4, maxMs: 9, limit: 1_000 })
  assert.deepEqual(
    long,
    all.filter(({ durationMs }) => durationMs >= 4 && durationMs <= 9),
  )
  const middle = events[Math.floor(events.length / 2)]!.handedOffAt
  const { traces: early } = await traces(store, { to: middle, limit: 1_000 })
  const expected = new Set(events.filter(({ handedOffAt }) => handedOffAt < middle).flatMap((event) => event.traces))
  assert.deepEqual(new Set(early.map((each) => each.trace)), expected)
  const { record, sequence } = ledger.find(({ fate }) => fate === 'made')!
  assert.equal((await traces(store, { record })).traces.at(-1)!.trace, events[sequence]!.traces[0])
})

test('a trace is a tree with all its parents, in the order of time, and its critical path adds up', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, async (seed) => {
      const { events, ledger } = play(seed)
      const store = storeOf(events)
      for (const id of new Set(events.flatMap((event) => event.traces))) {
        const view = (await trace(store, id))!
        const own = events.filter((event) => event.traces.includes(id))
        assert.equal(view.spans.length, own.length)
        for (const [place, { event, parents, takenMs, retryOf }] of view.spans.entries()) {
          if (place > 0) assert.ok(takenMs >= view.spans[place - 1]!.takenMs)
          const expected = new Set(
            ledger
              .filter((entry) => entry.sequence === event.sequence)
              .flatMap((entry) => entry.parents.map(({ sequence }) => sequence)),
          )
          const within = [...expected].filter((sequence) => events[sequence]!.traces.includes(id))
          assert.deepEqual(
            parents.map((parent) => view.spans[parent]!.event.sequence).sort((a, b) => a - b),
            within.sort((a, b) => a - b),
          )
          if (event.attempt === 0) continue
          // A death is no failed attempt.
          const before = view.spans[retryOf!]!.event
          assert.equal(before.attempt, event.attempt - (before.outcome === 'died' ? 0 : 1))
        }
        const { waiting, service, retry, other, totalMs } = view.criticalPath
        assert.ok(Math.abs(waiting + service + retry + other - 1) < 1e-9 || totalMs === 0)
        assert.ok(totalMs <= view.summary.durationMs + 1e-6)
      }
    }),
    { numRuns: 40 },
  )
})

test('dependencies count what arrived, and take exact counts where they are given', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, async (seed) => {
      const { events, run, counts, edges } = play(seed)
      const found = await dependencies(storeOf(events, run))
      const expected = counts.flatMap(({ arrived }, edge) =>
        arrived === 0 ? [] : [{ ...edges[edge]!, edge, records: arrived }],
      )
      const bare = found.map(({ from, to, edge, records }) => ({ from, to, edge, records }))
      assert.deepEqual(
        bare.toSorted((a, b) => a.edge - b.edge),
        expected,
      )
      assert.deepEqual(
        bare.map(({ records }) => records),
        bare.map(({ records }) => records).toSorted((a, b) => b - a),
      )
      for (const { edge, bytes, records } of found) assert.ok(bytes === records * (20 + edge))
      const exact = await dependencies(storeOf(events, run), { counts: new Map([[0, 1_000_000]]) })
      assert.deepEqual([exact[0]!.records, exact[0]!.isExact], [1_000_000, true])
    }),
    { numRuns: 30 },
  )
})

test('slow transfers are the slowest of all', async () => {
  const { events } = play(11, { chunks: 30 })
  const waits = events.flatMap(({ inputs, takenAt }) => inputs.map(({ writtenAt }) => takenAt - writtenAt!))
  const found = await slowTransfers(storeOf(events), { limit: 7 })
  assert.deepEqual(
    found.map(({ waitMs }) => waitMs),
    waits.sort((a, b) => b - a).slice(0, 7),
  )
  const inHand = await slowTransfers(storeOf(events), { by: 'service', node: 'out', minMs: 0.5, limit: 1_000 })
  assert.ok(inHand.length > 0 && inHand.every(({ node, serviceMs }) => node === 'out' && serviceMs >= 0.5))
})

test('true books balance; what is in flight is told apart', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, fc.nat(3), async (seed, unfinished) => {
      const { events, counts, ledger } = play(seed, { unfinished, trouble: 0.2 })
      const sent = new Map(counts.map((count, edge) => [edge, count.sent]))
      const found = await audit(storeOf(events), { counts: sent })
      assert.ok(found.isBalanced, JSON.stringify(found.findings))
      const inFlight = found.findings.flatMap(({ records }) => records).sort()
      assert.deepEqual(inFlight, ledger.flatMap(({ fate, record }) => (fate === 'sent' ? [record] : [])).sort())
      for (const { edge, arrived } of found.edges) assert.equal(arrived, counts[edge]!.arrived)
    }),
    { numRuns: 40 },
  )
})

test('the auditor finds exactly the events that were taken away', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, seeds, async (seed, which) => {
      const { events, ledger } = play(seed, { trouble: 0 })
      const hops = events.filter(({ inputs }) => inputs.length > 0)
      if (hops.length === 0) return
      const gone = hops[which % hops.length]!
      const found = await audit(storeOf(events.filter((event) => event !== gone)))
      const taken = ledger.filter(({ sequence }) => sequence === gone.sequence)
      const lost = found.findings.filter(({ kind }) => kind === 'lost').flatMap(({ records }) => records)
      assert.deepEqual(lost.sort(), taken.map(({ record }) => record).sort())
      const unsent = found.findings.filter(({ kind }) => kind === 'unsent').flatMap(({ records }) => records)
      assert.deepEqual(
        unsent.sort(),
        [...new Set(taken.flatMap(({ children }) => children))].map(({ record }) => record).sort(),
      )
      assert.equal(found.findings.filter(({ kind }) => kind === 'doubled').length, 0)
      const twice = await audit(storeOf([...events, { ...gone, worker: gone.worker + 2, sequence: events.length }]))
      assert.ok(twice.findings.some(({ kind }) => kind === 'doubled'))
    }),
    { numRuns: 40 },
  )
})

test('where events were dropped, what misses is no finding', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, seeds, async (seed, which) => {
      const { events } = play(seed, { trouble: 0 })
      const hops = events.filter(({ inputs }) => inputs.length > 0)
      if (hops.length === 0) return
      const gone = hops[which % hops.length]!
      const left = events.filter((event) => event !== gone)
      const marked = left.map((event) => ({
        ...event,
        isIncomplete: event.traces.some((trace) => gone.traces.includes(trace)),
      }))
      const found = await audit(storeOf(marked))
      assert.deepEqual([found.findings, found.isBalanced], [[], true])
      assert.ok(found.incompleteTraces >= gone.traces.length)
    }),
    { numRuns: 30 },
  )
})

test('ways of traces add up to the records that were written', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, async (seed) => {
      const { events, ledger } = play(seed)
      const found = await paths(storeOf(events))
      const written = ledger.filter(({ fate }) => fate === 'written').length
      const leaves = found.filter(({ nodes }) => nodes.at(-1) === 'out')
      assert.equal(
        leaves.reduce((sum, { times }) => sum + times.count, 0),
        written,
      )
      for (const { nodes, times, waiting, service, other } of found) {
        assert.equal(nodes[0], 'in')
        assert.ok(times.p50Ms <= times.p99Ms && times.p99Ms <= times.maxMs)
        assert.ok(Math.abs(waiting + service + other - 1) < 1e-6)
      }
    }),
    { numRuns: 40 },
  )
})
