import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from 'millrace'
import { dataflow } from 'millrace/graph'
import { Journal } from '#src/lane/journal.js'
import { journalBytes } from '#src/memory/journal.js'
import { ATTEMPTS, ABORT_FRAGMENTS, stampHigh, stampOf } from '#src/memory/lane.js'
import { viewMemory } from '#src/memory/memory.js'
import { Slots } from '#src/lane/slots.js'
import { anchorOf, slotBorn, slotsBytes } from '#src/memory/slots.js'
import { type OptionSpec, NODE_OPTIONS, RETRY_OPTIONS, RUN_OPTIONS } from '#src/options/index.js'
import type { Plan } from '#src/plan/types.js'
import { restartVerdict } from '#src/supervisor/restart.js'
import { MAX_TIMER_MS } from '#src/time.js'
import { retryDelayMs } from '#src/worker/call/retry.js'
import { measureChunk } from '#src/worker/measure.js'
import type { Parts } from '#src/worker/stage.js'

const HOUR_US = 3_600_000_000
const DAY_MS = 86_400_000

/** Stamps round all powers of two that have ever been a bound: a process of days, in µs. */
const STAMPS = [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 33 + 5, 24 * HOUR_US, 100 * 24 * HOUR_US]

test('a stamp comes back from a frame as it went there, whatever else lies in its word', () => {
  for (const stamp of STAMPS) {
    const attempt = ATTEMPTS | ABORT_FRAGMENTS | stampHigh(stamp)
    assert.equal(stampOf(attempt, stamp | 0), stamp)
    assert.equal(attempt & ATTEMPTS, ATTEMPTS)
    assert.equal(attempt & ABORT_FRAGMENTS, ABORT_FRAGMENTS)
  }
})

test('times on a lane and end to end are true after hours', () => {
  const slots = { offset: 0, slots: 4, source: 0 }
  const journal = { offset: slotsBytes(4) + 8, entries: 64, countersOffset: slotsBytes(4), counters: 1 }
  const memory = viewMemory(new SharedArrayBuffer(journal.offset + journalBytes(64, 1)))
  for (const born of STAMPS) {
    const source = new Slots(memory, slots)
    const slot = source.open(1, 0, born)
    const hand = new Journal(memory, journal)
    source.stage(hand)
    hand.commit()
    assert.equal(source.born(slot), born)
    assert.equal(slotBorn(memory.words, slots, slot), born)
    assert.equal(new Slots(memory, slots).born(slot), born, 'a successor finds it')
    for (const ageUs of [1, 35 * 60_000_000, 36 * 60_000_000, 72 * 60_000_000]) {
      const recorded: number[] = []
      const record = (ns: number): number => recorded.push(ns)
      const parts = {
        plan: { workers: [{ slots }], sources: [0] } as unknown as Plan,
        memory,
        clock: { stamp: born + ageUs },
        histograms: { lane: { record }, endToEnd: { record } },
      } as unknown as Parts
      measureChunk(parts, { count: 1, slot: anchorOf(0, slot), stamp: born } as never)
      assert.deepEqual(recorded, [ageUs * 1_000, ageUs * 1_000])
    }
    source.close(slot)
    source.stage(hand)
    hand.commit()
  }
})

test('delays are numbers at every attempt, within their bounds', () => {
  for (const backoff of ['constant', 'linear', 'exponential'] as const) {
    for (const baseMs of [0, 0.1, 100, DAY_MS]) {
      for (const attempts of [1, 2, 53, 54, 1_024, 1_025, 65_535]) {
        const delay = retryDelayMs({ backoff, baseMs, maxMs: DAY_MS, jitter: 1 }, attempts, 0.5)
        assert.ok(delay >= 0 && delay <= DAY_MS, `${backoff}, ${baseMs} ms, attempt ${attempts}: ${delay}`)
      }
    }
  }
  for (const deaths of [2, 53, 54, 1_026, 1_027, 2_000]) {
    const policy = { backoffMs: 0, maxBackoffMs: 3_600_000, maxRestarts: 10_000, withinMs: 1 }
    assert.deepEqual(restartVerdict(policy, new Array<number>(deaths).fill(0), 0), { restart: true, delayMs: 0 })
  }
})

test('no option of time is longer than a timer of Node', () => {
  const tables: Record<string, Readonly<Record<string, OptionSpec>>> = { NODE_OPTIONS, RETRY_OPTIONS, RUN_OPTIONS }
  // Compared with ages only, or slept through in parts.
  const free = new Set(['latencyMs'])
  for (const [table, options] of Object.entries(tables)) {
    for (const [name, { unit, max = Infinity }] of Object.entries(options)) {
      if (unit === 'ms' && !free.has(name)) assert.ok(max <= MAX_TIMER_MS, `${table}.${name}`)
    }
  }
})

test('attempts are bounded by what a lane can count', async () => {
  assert.equal(RETRY_OPTIONS.maxAttempts.max, ATTEMPTS)
  const graph = dataflow('many-attempts', import.meta.url)
    .source('in', { push: true })
    .sink('out', { write: () => undefined, retry: { maxAttempts: ATTEMPTS + 1 } })
    .connect('in', 'out')
  await assert.rejects(run(graph), { code: 'GRAPH_INVALID' })
})
