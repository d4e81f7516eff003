import assert from 'node:assert/strict'
import { test } from 'node:test'
import { viewMemory } from '#src/memory/memory.js'
import type { Plan } from '#src/plan/types.js'
import { LookThenPark } from '#src/worker/loop/wait.js'

const policyOf = (workers: number, cores: number): LookThenPark => {
  const memory = viewMemory(new SharedArrayBuffer(4096))
  const plan = { workers: Array.from({ length: workers }, (_, i) => ({ control: { doorbell: 128 * i } })) }
  return new LookThenPark(memory, plan as unknown as Plan, 0, cores)
}

/** Looks in vain at one moment, until the policy has enough. */
const looksOf = (policy: LookThenPark): number => {
  let looks = 0
  while (policy.looksAgain(looks, 0, 0)) looks++
  return looks
}

test('a loop looks less often after each time in vain, but once at least, and more often after luck', () => {
  const policy = policyOf(1, 2)
  const first = looksOf(policy)
  assert.equal(looksOf(policy), first >> 1)
  for (let i = 0; i < 20; i++) looksOf(policy)
  assert.equal(looksOf(policy), 1)
  policy.found(0, 3)
  assert.equal(looksOf(policy), 2)
})

test('a loop does not look for longer than a short while', () => {
  const policy = policyOf(1, 2)
  let looks = 0
  while (policy.looksAgain(looks, 0, 1_000)) looks++
  assert.ok(looks < looksOf(policyOf(1, 2)))
})

test('a loop does not take a core from workers that work', () => {
  const crowded = policyOf(3, 2)
  assert.ok(looksOf(crowded) < looksOf(policyOf(2, 2)))
})

test('the longer nothing has come, the longer a loop waits, within bounds', () => {
  const policy = policyOf(1, 2)
  const waits = [0, 1_000, 1_500, 1e9].map((now) => policy.netMs(now))
  assert.deepEqual(
    waits,
    [...waits].sort((a, b) => a - b),
  )
  assert.ok(waits[0]! < waits[1]! && waits[3]! <= 2_000)
})
