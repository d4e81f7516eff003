import assert from 'node:assert/strict'
import { test } from 'node:test'
import { restartVerdict } from '#src/supervisor/restart.js'
import { retryDelayMs } from '#src/worker/call/retry.js'
import { Pacing } from '#src/worker/source/pacing.js'

const policy = { backoffMs: 10, maxBackoffMs: 60, maxRestarts: 5, withinMs: 1_000 }

test('the first restart within the window is at once, the next ones wait twice as long each, up to the most', () => {
  const delays = [1, 2, 3, 4, 5].map((deaths) => restartVerdict(policy, new Array(deaths).fill(0), 0))
  assert.deepEqual(
    delays.map((verdict) => verdict.restart && verdict.delayMs),
    [0, 10, 20, 40, 60],
  )
})

test('one death more than the budget within the window is one too many; older ones are forgotten', () => {
  assert.deepEqual(restartVerdict(policy, [0, 0, 0, 0, 0, 0], 0), { restart: false })
  assert.deepEqual(restartVerdict(policy, [0, 0, 0, 0, 0, 1_000], 1_000), { restart: true, delayMs: 0 })
  assert.deepEqual(restartVerdict({ ...policy, maxRestarts: 0 }, [0], 0), { restart: false })
})

test('retries wait as their backoff says, never longer than the most, and jitter only shortens', () => {
  const retry = { maxAttempts: 9, backoff: 'exponential', baseMs: 100, maxMs: 500, jitter: 0.2 } as const
  const delays = (backoff: 'constant' | 'linear' | 'exponential'): number[] =>
    [1, 2, 3, 4].map((attempts) => retryDelayMs({ ...retry, backoff }, attempts, 0))
  assert.deepEqual(delays('constant'), [100, 100, 100, 100])
  assert.deepEqual(delays('linear'), [100, 200, 300, 400])
  assert.deepEqual(delays('exponential'), [100, 200, 400, 500])
  assert.equal(retryDelayMs(retry, 1, 1), 80)
})

test('a rate limit lets through what the time allows, and saves up ten milliseconds of it at most', () => {
  const pacing = new Pacing(1_000, 0)
  assert.equal(pacing.allowed(0), 1)
  pacing.take(1)
  assert.equal(pacing.allowed(0), 0)
  assert.equal(pacing.allowed(5), 5)
  pacing.take(5)
  assert.equal(pacing.allowed(5), 0)
  assert.equal(pacing.nextAt, 6)
  assert.equal(pacing.allowed(5_000), 10)
})

test('a slow rate lets single records through, the first one at once, and no rate lets all through', () => {
  const slow = new Pacing(10, 0)
  assert.equal(slow.allowed(0), 1)
  slow.take(1)
  assert.equal(slow.allowed(50), 0)
  assert.equal(slow.allowed(100), 1)
  assert.equal(new Pacing(0, 0).allowed(0), Infinity)
  assert.equal(new Pacing(Infinity, 0).allowed(0), Infinity)
})

test('a bucket with a size of its own is full at the start', () => {
  const pacing = new Pacing(1_000, 0, 3)
  assert.equal(pacing.allowed(0), 3)
  pacing.take(3)
  assert.equal(pacing.allowed(1), 1)
  assert.equal(pacing.allowed(100), 3)
})
