/** What every store must do: one suite for all of them. */
import assert from 'node:assert/strict'
import { type TestOptions, test } from 'node:test'
import fc from 'fast-check'
import type { TraceEvent } from '#src/trace/event.js'
import { audit } from '#src/trace/questions/audit.js'
import { lineage } from '#src/trace/questions/lineage.js'
import { traces } from '#src/trace/questions/traces.js'
import { isInRange, type TraceRange, type TraceSource } from '#src/trace/source.js'
import type { TraceStore } from '#src/trace/store/store.js'
import { play } from './model.js'

/** How a kind of store is made for a test; `again` opens what another one wrote. */
export interface StoreKind {
  readonly name: string
  readonly options?: TestOptions
  readonly open: (place: string) => TraceStore | Promise<TraceStore>
  /** False where a store forgets when it is closed. */
  readonly isKept: boolean
}

export async function read(source: TraceSource, range?: TraceRange): Promise<TraceEvent[]> {
  const events = []
  for await (const block of source.read(range)) events.push(...block)
  return events.sort((a, b) => (a.run === b.run ? a.sequence - b.sequence : a.run < b.run ? -1 : 1))
}

const inOrder = (events: readonly TraceEvent[]): TraceEvent[] =>
  events.toSorted((a, b) => (a.run === b.run ? a.sequence - b.sequence : a.run < b.run ? -1 : 1))

let places = 0
const at = (): string => `place${places++}`

export function storeSuite({ name, options = {}, open, isKept }: StoreKind): void {
  test(`${name}: what was written is read, event by event, by any range`, options, async () => {
    const store = await open(at())
    const runs = [play(1, { chunks: 20 }), play(2, { chunks: 20, pipeline: 'other', startAt: 1_790_000_000_020 })]
    for (const { run } of runs) await store.begin(run)
    const events = runs.flatMap((run) => run.events)
    for (let i = 0; i < events.length; i += 7) store.write(events.slice(i, i + 7))
    await store.flush()
    assert.deepEqual(await read(store), inOrder(events))
    assert.deepEqual(
      await store.runs(),
      runs.map(({ run }) => run),
    )
    const times = events.map(({ handedOffAt }) => handedOffAt).sort((a, b) => a - b)
    const time = (share: number): number => times[Math.floor(share * times.length)]!
    const some = new Set(events.filter((_, i) => i % 9 === 0).flatMap((event) => event.traces))
    const ranges: TraceRange[] = [
      { from: time(0.3), to: time(0.6) },
      { from: time(0.8) },
      { run: runs[0]!.run.run },
      { pipeline: 'other', from: time(0.5) },
      { traces: new Set([...some].slice(0, 3)) },
      { traces: some, to: time(0.5) },
      { traces: new Set(['0'.repeat(32)]) },
      { traces: new Set() },
      { run: 'f'.repeat(16) },
    ]
    for (const range of ranges)
      assert.deepEqual(
        await read(store, range),
        inOrder(events.filter((event) => isInRange(event, range))),
        JSON.stringify(range),
      )
    const { written, dropped, failures } = store.stats()
    assert.deepEqual([written, dropped, failures], [events.length, 0, 0])
    await store.close()
  })

  test(`${name}: questions are answered as from memory`, options, async () => {
    const store = await open(at())
    const { run, events, ledger } = play(5, { chunks: 15, trouble: 0.2 })
    await store.begin(run)
    store.write(events)
    await store.flush()
    assert.equal((await traces(store)).total, new Set(events.flatMap((event) => event.traces)).size)
    assert.ok((await audit(store)).isBalanced)
    const { record } = ledger.find(({ fate }) => fate === 'written')!
    const up = await lineage(store, record, { direction: 'up' })
    assert.equal(up!.steps[0]!.fate, 'made')
    await store.close()
  })

  test(`${name}: odd texts, empty lists and missing parts come back as they were`, options, async () => {
    const store = await open(at())
    const { run, events } = play(3)
    const odd = fc.sample(
      fc.record({
        // PostgreSQL knows no NUL in a text.
        text: fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
        sequence: fc.maxSafeNat().map((number) => Math.floor(number / 16)),
        traces: fc.array(fc.stringMatching(/^[\da-f]{32}$/), { maxLength: 3 }),
      }),
      30,
    )
    const made = odd.map(({ text, sequence, traces }, i): TraceEvent => ({
      ...events[i % events.length]!,
      sequence,
      traces,
      node: text,
      error: { code: text, message: text },
      attributes: { [text]: text, '\\': '\t\n"', constructor: true },
      content: [{ index: i, json: JSON.stringify(text) }],
      inputs: i % 2 === 0 ? [] : [{ base: 'ffffffffffffffff', first: 2 ** 31, count: 1 }],
      isTruncated: true,
      isIncomplete: i % 3 === 0,
    }))
    await store.begin(run)
    store.write(made)
    await store.flush()
    assert.equal(store.stats().dropped, 0, store.stats().lastFailure)
    assert.deepEqual(await read(store), inOrder(made))
    await store.close()
  })

  if (!isKept) return
  test(`${name}: what was closed is opened again, and goes on`, options, async () => {
    const place = at()
    const [one, two] = [play(8), play(9)]
    const first = await open(place)
    await first.begin(one.run)
    first.write(one.events)
    await first.close()
    const second = await open(place)
    assert.deepEqual(await second.runs(), [one.run])
    for (const trace of new Set(one.events.flatMap((event) => event.traces))) {
      const own = one.events.filter((event) => event.traces.includes(trace))
      assert.deepEqual(await read(second, { traces: new Set([trace]) }), inOrder(own))
    }
    await second.begin(two.run)
    second.write(two.events)
    await second.flush()
    const third = await open(place)
    assert.deepEqual(await read(third), inOrder([...one.events, ...two.events]))
    await third.close()
    await second.close()
  })
}
