import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeTime } from '#src/worker/rehearsal/take-time.js'

test('work that takes no time takes none', () => {
  const slept: number[] = []
  const take = takeTime({ latencyMs: 0, cpu: false, overlaps: false }, (ms) => void slept.push(ms))
  assert.equal(take(100), undefined)
  assert.deepEqual(slept, [])
})

test('waits that are too short to sleep for are owed, and paid together', () => {
  const slept: number[] = []
  const take = takeTime({ latencyMs: 0.3, cpu: false, overlaps: false }, (ms) => void slept.push(ms))
  for (let i = 0; i < 3; i++) void take(1)
  assert.deepEqual(slept, [])
  void take(1)
  assert.equal(slept.length, 1)
  assert.ok(Math.abs(slept[0]! - 1.2) < 1e-9)
})

test('a sleep that was cut short is still owed', () => {
  const slept: number[] = []
  const take = takeTime({ latencyMs: 1_000, cpu: false, overlaps: false }, (ms) => void slept.push(ms))
  void take(1)
  void take(1)
  assert.ok(slept[1]! > 1_500)
})

test('work that overlaps answers with a promise, and blocks nobody', async () => {
  const take = takeTime({ latencyMs: 1, cpu: false, overlaps: true }, () => assert.fail('blocked'))
  await take(1)
})
