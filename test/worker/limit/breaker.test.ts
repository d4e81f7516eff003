import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MillraceError } from 'millrace'
import { CallBreaker } from '#src/worker/limit/breaker.js'

function breaker() {
  const told: unknown[] = []
  const it = new CallBreaker(
    { failures: 3, pauseMs: 100, maxPauseMs: 300 },
    {
      opened: (failures, error) => void told.push([failures, (error as Error).message]),
      closed: (failures) => void told.push(failures),
    },
  )
  return { it, told }
}

const error = new Error('away')

test('failures that do not follow each other hold nobody', () => {
  const { it, told } = breaker()
  for (let i = 0; i < 10; i++) {
    it.failed(error, i)
    it.failed(error, i)
    it.succeeded()
  }
  assert.equal(it.allowed(10), Infinity)
  assert.deepEqual(told, [])
})

test('after so many in a row nothing is let through, then one; each pause is twice as long as the last, up to the most', () => {
  const { it, told } = breaker()
  for (let i = 0; i < 3; i++) it.failed(error, 0)
  let now = 0
  for (const pauseMs of [100, 200, 300, 300]) {
    assert.deepEqual([it.allowed(now + pauseMs - 1), it.nextAt(now)], [0, now + pauseMs])
    now += pauseMs
    assert.equal(it.allowed(now), 1)
    it.began()
    assert.deepEqual([it.allowed(now), it.nextAt(now)], [0, Infinity], 'while it is tried, no other is')
    it.failed(error, now)
  }
  now += 300
  it.began()
  it.succeeded()
  assert.equal(it.allowed(now), Infinity)
  assert.deepEqual(told, [[3, 'away'], [4, 'away'], [5, 'away'], [6, 'away'], [7, 'away'], 7])
})

test('calls that were open when the pause began do not make it longer, and one that ends well ends it', () => {
  const { it, told } = breaker()
  for (let i = 0; i < 9; i++) it.failed(error, i)
  assert.equal(it.nextAt(9), 102)
  it.succeeded()
  assert.equal(it.allowed(9), Infinity)
  assert.deepEqual(told, [[3, 'away'], 9])
})

test('what fails before it is called is no failure of the handler, and another one is tried', () => {
  const { it } = breaker()
  for (let i = 0; i < 9; i++) it.failed(new MillraceError('KEY_INVALID'), 0)
  assert.equal(it.allowed(0), Infinity)
  for (let i = 0; i < 3; i++) it.failed(error, 0)
  it.began()
  it.failed(new MillraceError('RECORD_POISONED'), 100)
  assert.equal(it.allowed(100), 1)
})
