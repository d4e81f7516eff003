import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MillraceError } from '#src/errors.js'
import type { InputPlan } from '#src/plan/types.js'
import { isWorthRetry, retryDelayMs } from '#src/worker/call/retry.js'

const policy = (given: object): InputPlan['retry'] => ({
  maxAttempts: 3,
  backoff: 'exponential',
  baseMs: 100,
  maxMs: 1_000,
  jitter: 0,
  ...given,
})
const input = { retry: policy({}) } as InputPlan

test('the delay before an attempt grows as its policy says, up to its most, and jitter only shortens it', () => {
  const delays = (backoff: string): number[] => [1, 2, 3, 60].map((n) => retryDelayMs(policy({ backoff }), n, 0.5))
  assert.deepEqual(delays('constant'), [100, 100, 100, 100])
  assert.deepEqual(delays('linear'), [100, 200, 300, 1_000])
  assert.deepEqual(delays('exponential'), [100, 200, 400, 1_000])
  assert.equal(retryDelayMs(policy({ jitter: 0.5 }), 1, 1), 50)
  assert.equal(retryDelayMs(policy({ baseMs: 0 }), 2_000, 0), 0)
})

test('a failure is tried again until its attempts are used up, or `when` says no, or throws', () => {
  const error = new Error('no')
  assert.equal(isWorthRetry(input, undefined, error, 2), true)
  assert.equal(isWorthRetry(input, undefined, error, 3), false)
  assert.equal(
    isWorthRetry(input, () => false, error, 1),
    false,
  )
  const broken = (): never => {
    throw error
  }
  assert.equal(isWorthRetry(input, broken, error, 1), false)
})

test('what the library gave up itself is not tried again, but for calls that took too long', () => {
  assert.equal(isWorthRetry(input, undefined, new MillraceError('RECORD_POISONED', { node: 'a', deaths: 2 }), 1), false)
  assert.equal(
    isWorthRetry(input, undefined, new MillraceError('HANDLER_TIMEOUT', { node: 'a', timeoutMs: 1 }), 1),
    true,
  )
})
