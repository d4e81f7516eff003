import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Memory, viewMemory } from '#src/memory/memory.js'
import { BEAT, LIVE, NET, STATE } from '#src/memory/control.js'
import { CALLED, HOLDING, HOLDS_NOTHING, HOLDS_RECORD, handBytes } from '#src/memory/hand.js'
import type { WorkerPlan } from '#src/plan/types.js'
import { Hand } from '#src/worker/hold/hand.js'
import { Watchdog } from '#src/supervisor/watchdog.js'

const HAND = 1024
const HOUR_MS = 3_600_000

interface Watched {
  readonly memory: Memory
  readonly words: Int32Array
  readonly hand: Hand
  /** For how long the worker has hung at a time, as the watchdog sees it. */
  readonly look: (timeoutMs: number, nowMs: number) => number
}

function watched(): Watched {
  const memory = viewMemory(new SharedArrayBuffer(HAND + handBytes(1)))
  const hand = new Hand(memory, { offset: HAND, segments: 1 }, true)
  const worker = { index: 0, control: { offset: 0 }, hand: { offset: HAND } } as WorkerPlan
  const watchdog = new Watchdog(memory)
  memory.words[STATE] = LIVE
  return { memory, words: memory.words, hand, look: (timeoutMs, nowMs) => watchdog.hungForMs(worker, timeoutMs, nowMs) }
}

test('a call that stays in hand for longer than its time-out hangs, however long the time-out is', () => {
  for (const timeoutMs of [20, 2_147, 35 * 60_000, 36 * 60_000, 72 * 60_000, 24 * HOUR_MS]) {
    const { hand, look } = watched()
    const start = 7 * 24 * HOUR_MS
    hand.hold(0)
    const every = Math.max(5, Math.min(250, timeoutMs / 4))
    assert.equal(look(timeoutMs, start), 0)
    for (const share of [0.25, 0.5, 0.75, 1]) assert.equal(look(timeoutMs, start + share * timeoutMs), 0)
    assert.ok(look(timeoutMs, start + timeoutMs + every + 50) > timeoutMs, `${timeoutMs} ms`)
  }
})

test('a loop that stands at one beat is in time while its calls follow each other', () => {
  const { hand, look } = watched()
  for (let nowMs = 0; nowMs < 10_000; nowMs += 50) {
    hand.hold(nowMs / 50)
    assert.equal(look(100, nowMs), 0)
  }
})

test('a loop that waits is not expected to step before its wait is over', () => {
  const { words, look } = watched()
  words[NET] = 2_000
  assert.equal(look(20, 0), 0)
  assert.equal(look(20, 2_400), 0)
  assert.ok(look(20, 2_600) > 0)
  words[BEAT]!++
  words[NET] = 0
  assert.equal(look(20, 2_700), 0)
  assert.equal(look(20, 3_100), 0)
  assert.ok(look(20, 3_300) > 0)
})

test('a call counts as a new one after 2^32 of them too', () => {
  const { words, hand, look } = watched()
  words[HAND / 4 + CALLED] = 0x7fff_ffff
  hand.hold(0)
  assert.equal(words[HAND / 4 + CALLED], -0x8000_0000)
  assert.equal(look(100, 0), 0)
  hand.hold(1)
  assert.equal(look(100, 90), 0)
  assert.equal(look(100, 180), 0)
  assert.equal(words[HAND / 4 + HOLDING], HOLDS_RECORD)
  hand.drop()
  assert.equal(words[HAND / 4 + HOLDING], HOLDS_NOTHING)
})
