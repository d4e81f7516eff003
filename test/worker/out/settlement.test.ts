import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Journal } from '#src/lane/journal.js'
import { viewMemory } from '#src/memory/memory.js'
import type { Plan } from '#src/plan/types.js'
import { Settlement } from '#src/worker/out/settlement.js'
import { header } from '../../lane/lane.ts'

/** What a source's own settlement owes, by slot, hand-off by hand-off. */
function settlement() {
  const owed = new Map<number, [low: number, high: number, failures: number]>()
  const told: [string, readonly number[]][] = []
  const own = {
    settle: (slot: number, low: number, high: number, failures: number): void =>
      void owed.set(slot, [low, high, failures]),
    tell: (text: string, slots: readonly number[]): void => void told.push([text, slots]),
  }
  const it = new Settlement(viewMemory(new SharedArrayBuffer(64)), {} as Plan, [], [], own)
  const stage = (): [number, [number, number, number]][] => {
    owed.clear()
    it.stage(undefined as unknown as Journal)
    return [...owed]
  }
  return { it, stage, told }
}

const chunk = (slot: number, base: number) => header({ slot, baseLow: base, baseHigh: base })

test('a chunk that goes on under its own id owes nothing', () => {
  const { it, stage } = settlement()
  it.toggle(chunk(1, 7))
  it.toggle(chunk(1, 7))
  assert.deepEqual(stage(), [])
})

test('what ended and what was born of a slot is one word, in whatever order', () => {
  const [one, other] = [settlement(), settlement()]
  for (const base of [7, 8, 9]) one.it.toggle(chunk(1, base))
  for (const base of [9, 7, 8]) other.it.toggle(chunk(1, base))
  const owed = one.stage()
  assert.equal(owed.length, 1)
  assert.deepEqual(other.stage(), owed)
})

test('many slots in turn are kept apart, and each once; the next hand-off owes nothing of them', () => {
  const { it, stage } = settlement()
  for (let round = 0; round < 3; round++) for (let slot = 0; slot < 40; slot++) it.toggle(chunk(slot, 100 + slot))
  assert.deepEqual(
    stage().map(([slot]) => slot),
    Array.from({ length: 40 }, (_, slot) => slot),
  )
  assert.deepEqual(stage(), [])
})

test('a batch owes the same to each slot that is in it', () => {
  const { it, stage } = settlement()
  it.toggle({ ...chunk(1, 7), furtherAnchors: [2, 3] })
  const owed = stage()
  assert.deepEqual(
    owed.map(([slot]) => slot),
    [1, 2, 3],
  )
  assert.deepEqual(owed[1]![1], owed[0]![1])
})

test('why records failed is said once for all slots with the same reason, and of each slot once', () => {
  const { it, stage, told } = settlement()
  for (const slot of [1, 2, 2]) it.fail(chunk(slot, 7), 1, 'one reason')
  it.fail({ ...chunk(3, 7), furtherAnchors: [4] }, 1, 'another')
  it.fail(chunk(5, 7), 1)
  stage()
  assert.deepEqual(told, [
    ['one reason', [1, 2]],
    ['another', [3, 4]],
  ])
  stage()
  assert.equal(told.length, 2)
})
