import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { History } from '#src/supervisor/history.js'

const death = (atMs: number, wasAsked = false) => {
  const cause = 'exit'
  return { node: 'work', worker: 0, epoch: 0, atMs, cause, error: { name: 'Error', message: cause }, wasAsked }
}

test('a death with nothing known in hand is charged to the stage', () => {
  const history = new History()
  equal(history.add(death(1), [], 2).counts, true)
  equal(history.add(death(2), [{ low: 1, high: 1, deaths: 1 }], 2).counts, true)
  deepEqual(history.charged('work'), [1, 2])
  deepEqual(history.charged('other'), [])
})

test('a record that was in hand at two deaths is to blame for both, and the stage gets the first one back', () => {
  const history = new History()
  history.add(death(1), [{ low: 1, high: 1, deaths: 1 }], 2)
  history.add(death(2), [{ low: 2, high: 1, deaths: 1 }], 2)
  equal(history.add(death(3), [{ low: 1, high: 1, deaths: 2 }], 2).counts, false)
  deepEqual(history.charged('work'), [2])
  deepEqual(
    history.of('work').map(({ counts }) => counts),
    [false, true, false],
  )
})

test('where one death is enough for a record to be given up, it is not charged at all', () => {
  const history = new History()
  equal(history.add(death(1), [{ low: 1, high: 1, deaths: 1 }], 1).counts, false)
  equal(history.add(death(2), [], 1).counts, true)
})

test('a restart that was asked for is not charged', () => {
  const history = new History()
  equal(history.add(death(1, true), [], 2).counts, false)
  equal(history.add(death(2), [], 2).counts, true)
})

test('the history of a stage that dies for ever does not grow for ever', () => {
  const history = new History()
  for (let i = 0; i < 3_000; i++) history.add(death(i), [], 2)
  equal(history.of('work').length, 1_000)
  equal(history.of('work').at(-1)!.atMs, 2_999)
})
