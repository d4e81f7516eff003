import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Journal, journalMark, recover } from '#src/lane/journal.js'
import { ENTRIES, Space } from './lane.ts'

function made(): { space: Space; layout: ReturnType<Space['journal']>; word: number } {
  const space = new Space()
  const layout = space.journal(2)
  const word = space.take(64) / 4
  space.made()
  return { space, layout, word }
}

/** A worker that dies on its `n`-th store after the first one of `commit`: the memory as it is then. */
function dieAfterMark(space: Space, layout: ReturnType<Space['journal']>, word: number): void {
  const journal = new Journal(space.memory, layout)
  journal.set(word, 7)
  journal.set(word + 1, 8)
  journal.counters[0] = 5
  const before = space.memory.words.slice()
  journal.commit()
  const after = space.memory.words.slice()
  // Everything that `apply` stores is as it was; image, entries and mark are there.
  space.memory.words.set(after)
  for (const each of [word, word + 1]) space.memory.words[each] = before[each]!
  space.memory.floats[layout.countersOffset / 8] = 0
  space.memory.words[layout.offset / 4] = 3
}

describe('a journal', () => {
  test('J3: nothing of a hand-off is seen before its commit, and all of it after', () => {
    const { space, layout, word } = made()
    const journal = new Journal(space.memory, layout)
    journal.set(word, 1)
    journal.counters[1] = 2
    assert.equal(space.memory.words[word], 0)
    assert.equal(space.memory.floats[layout.countersOffset / 8 + 1], 0)
    assert.ok(!journal.isEmpty)
    journal.commit()
    assert.equal(space.memory.words[word], 1)
    assert.equal(space.memory.floats[layout.countersOffset / 8 + 1], 2)
    assert.ok(journal.isEmpty)
    assert.equal(journalMark(space.memory, layout), 0)
  })

  test('J1: a marked hand-off is finished after a death', () => {
    const { space, layout, word } = made()
    dieAfterMark(space, layout, word)
    assert.equal(recover(space.memory, layout), true)
    assert.deepEqual(Array.from(space.memory.words.subarray(word, word + 2)), [7, 8])
    assert.equal(space.memory.floats[layout.countersOffset / 8], 5)
    assert.equal(journalMark(space.memory, layout), 0)
  })

  test('J1: an unmarked one is forgotten', () => {
    const { space, layout, word } = made()
    new Journal(space.memory, layout).set(word, 9)
    assert.equal(recover(space.memory, layout), false)
    assert.equal(space.memory.words[word], 0)
    const successor = new Journal(space.memory, layout)
    successor.commit()
    assert.equal(space.memory.words[word], 0)
  })

  test('J2: applied twice is applied once', () => {
    const { space, layout, word } = made()
    dieAfterMark(space, layout, word)
    recover(space.memory, layout)
    const once = space.memory.words.slice()
    space.memory.words[layout.offset / 4] = 3
    recover(space.memory, layout)
    assert.deepEqual(space.memory.words, once)
    assert.equal(recover(space.memory, layout), false)
  })

  test('counters go on where the last hand-off left them', () => {
    const { space, layout } = made()
    const journal = new Journal(space.memory, layout)
    journal.counters[0] = 3
    journal.commit()
    journal.counters[0] = 4
    assert.equal(new Journal(space.memory, layout).counters[0], 3)
  })

  test('an entry too many is an error, and nothing of it is applied', () => {
    const { space, layout, word } = made()
    const journal = new Journal(space.memory, layout)
    for (let i = 0; i < ENTRIES; i++) journal.set(word, i)
    assert.equal(journal.room, 0)
    assert.throws(() => journal.set(word, 1), { code: 'INTERNAL' })
    assert.equal(space.memory.words[word], 0)
  })
})
