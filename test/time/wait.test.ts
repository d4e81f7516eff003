import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Doorbell } from '#src/lane/doorbell.js'
import { DOORBELL_BYTES, DOZE_MS } from '#src/memory/doorbell.js'
import { viewMemory } from '#src/memory/memory.js'
import type { Plan } from '#src/plan/types.js'
import { LookThenPark } from '#src/worker/loop/wait.js'

const CORES = 2

/** A policy on a machine of two cores, the doorbells of all workers, and how many looks it grants, each of so many ms. */
function made(workers: number): { policy: LookThenPark; bells: Doorbell[]; looks: (lookMs: number) => number } {
  const memory = viewMemory(new SharedArrayBuffer(workers * DOORBELL_BYTES))
  const offsets = Array.from({ length: workers }, (_, i) => i * DOORBELL_BYTES)
  const plan = { workers: offsets.map((doorbell) => ({ control: { doorbell } })) } as unknown as Plan
  const policy = new LookThenPark(memory, plan, 0, CORES)
  const looks = (lookMs: number): number => {
    let count = 0
    while (policy.looksAgain(count, 0, count * lookMs)) count++
    return count
  }
  return { policy, bells: offsets.map((offset) => new Doorbell(memory.words, offset)), looks }
}

test('a loop looks 256 times at most, half as often after looks in vain, and more often again after luck', () => {
  const { policy, looks } = made(CORES)
  assert.deepEqual([looks(0), looks(0), looks(0)], [256, 128, 64])
  policy.found(0, 1)
  assert.equal(looks(0), 64)
  for (let i = 0; i < 20; i++) looks(0)
  assert.equal(looks(0), 1)
})

test('slow looks end with their time', () => {
  assert.equal(made(CORES).looks(0.02), 16)
})

test('where more workers are awake than there are cores, a loop looks a few times only', () => {
  const { bells, looks } = made(5)
  assert.equal(looks(0), 8)
  for (const bell of bells.slice(CORES)) bell.announce(1)
  assert.equal(made(5).looks(0), 8, 'a machine of its own')
  assert.equal(looks(0), 128)
  bells[4]!.rise()
  assert.equal(looks(0), 8)
})

test('a loop dozes while there was work just now, then sleeps as long as nothing has come, two seconds at most', () => {
  const { policy } = made(1)
  policy.found(1_000, 0)
  assert.deepEqual(
    [1_000, 1_099, 1_100, 1_700, 60_000].map((nowMs) => policy.netMs(nowMs)),
    [DOZE_MS, DOZE_MS, 100, 700, 2_000],
  )
  policy.found(60_000, 0)
  assert.equal(policy.netMs(60_001), DOZE_MS)
})
