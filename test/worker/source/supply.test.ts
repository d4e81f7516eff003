import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mark } from 'millrace'
import type { SourceContext } from '#src/plan/definition.js'
import type { Handlers } from '#src/worker/call/handlers.js'
import type { Progress } from '#src/worker/source/progress.js'
import { Taken, supplyOf } from '#src/worker/source/supply.js'

const nothing = (): void => undefined
const withPoll = (poll: (demand: number) => unknown): Pick<Handlers, 'own'> => ({
  own: (name) => (name === 'poll' ? poll : undefined),
})

test('what lies behind the last cursor and was handed on is passed over, in whatever portions a poll gives it', () => {
  // Every fifth record has a cursor; the last life handed on three records behind that of record 10.
  let next = 11
  const poll = (demand: number): unknown[] =>
    Array.from({ length: demand }, () => (next % 5 === 0 ? mark(next, { cursor: ++next }) : next++))
  const progress = { toSkipBehindCursor: 3 } as Progress
  const supply = supplyOf(withPoll(poll), {} as SourceContext, progress, nothing)
  const records: unknown[] = []
  while (records.length < 10) {
    const taken = new Taken()
    supply.take(2, taken, 2)
    records.push(...Array.from(taken.values))
  }
  assert.deepEqual(
    records.slice(0, 10),
    Array.from({ length: 10 }, (_, i) => 14 + i),
  )
})

test('a poll is asked for what is missing, also where some of a chunk was taken before', () => {
  const given = [[1, 2], [3], []]
  const asked: number[] = []
  const poll = (demand: number): unknown[] => {
    asked.push(demand)
    return given.shift()!
  }
  const supply = supplyOf(withPoll(poll), {} as SourceContext, { toSkipBehindCursor: 0 } as Progress, nothing)
  const taken = new Taken()
  while (taken.count < 3) supply.take(3 - taken.count, taken, 3 - taken.count)
  assert.deepEqual(Array.from(taken.values), [1, 2, 3])
  assert.deepEqual(asked, [3, 1])
})

test('a poll is asked for as much as there is room for, however few records go into one chunk', () => {
  const asked: number[] = []
  let next = 0
  const poll = (demand: number): number[] => {
    asked.push(demand)
    return Array.from({ length: Math.min(demand, 10) }, () => next++)
  }
  const supply = supplyOf(withPoll(poll), {} as SourceContext, { toSkipBehindCursor: 0 } as Progress, nothing)
  const records: unknown[] = []
  while (records.length < 30) {
    const taken = new Taken()
    supply.take(1, taken, 100)
    records.push(...Array.from(taken.values))
  }
  assert.deepEqual(
    records,
    Array.from({ length: 30 }, (_, i) => i),
  )
  assert.deepEqual(asked, [100, 100, 100])
})
