import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { mix, mixed } from '#src/lane/ids.js'
import { Journal } from '#src/lane/journal.js'
import { Slots } from '#src/lane/slots.js'
import {
  MAX_SLOTS,
  MAX_SOURCES,
  NO_SLOT,
  anchorOf,
  anchorSlot,
  anchorSource,
  slotBorn,
  slotsBytes,
} from '#src/memory/slots.js'
import { Space } from './lane.ts'

class TestSlots {
  readonly #space = new Space()
  readonly layout
  readonly #journal
  slots!: Slots
  #writing!: Journal

  constructor(slots: number) {
    this.layout = { offset: this.#space.take(slotsBytes(slots)), slots, source: 0 }
    this.#journal = this.#space.journal()
    this.#space.made()
    this.revive()
  }

  get words(): Int32Array {
    return this.#space.memory.words
  }

  revive(): void {
    this.slots = new Slots(this.#space.memory, this.layout)
    this.#writing = new Journal(this.#space.memory, this.#journal)
  }

  commit(): void {
    this.slots.stage(this.#writing)
    this.#writing.commit()
  }
}

describe('anchors', () => {
  test('a word names any slot of any source', () => {
    for (const source of [0, 1, MAX_SOURCES - 1]) {
      for (const slot of [0, 1, MAX_SLOTS - 1]) {
        const anchor = anchorOf(source, slot)
        assert.equal(anchor | 0, anchor)
        assert.deepEqual([anchorSource(anchor), anchorSlot(anchor)], [source, slot])
      }
    }
  })
})

describe('slots', () => {
  test('the window is full when none is free, and that is a value', () => {
    const { slots } = new TestSlots(2)
    assert.deepEqual([slots.open(1, 0, 0), slots.open(1, 1, 0), slots.open(1, 2, 0)], [0, 1, NO_SLOT])
  })

  test('S1: a slot is done when all that was born has ended, whatever the order', () => {
    const tree = fc.array(fc.integer({ min: 1, max: 1 << 30 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(tree, fc.infiniteStream(fc.nat()), (numbers, choices) => {
        const { slots } = new TestSlots(1)
        const slot = slots.open(1, 0, 0)
        // The chunk ends with the first entry of the first worker; each of its children ends with one of its own.
        const ids = new Set(numbers).size === numbers.length ? numbers : [...new Set(numbers)]
        const [root, ...children] = ids as [number, ...number[]]
        slots.settle(slot, root, ~root, 0)
        const all = children.reduce(([low, high], id) => [low ^ id, high ^ ~id] as const, [root, ~root] as const)
        const entries = [all, ...children.map((id) => [id, ~id] as const)]
        while (entries.length > 0) {
          const [low, high] = entries.splice(choices.next().value % entries.length, 1)[0]!
          // Ids of arbitrary numbers may cancel by chance before; mixed ones do so once in 2^64.
          slots.settle(slot, low, high, 0)
        }
        assert.ok(slots.isDone(slot))
      }),
    )
  })

  test('S1: as long as one id has not ended, the slot is not done', () => {
    const { slots } = new TestSlots(1)
    const slot = slots.open(1, 0, 0)
    const ids = Array.from({ length: 200 }, (_, i) => {
      mix(1, 2, i)
      return { ...mixed }
    })
    for (const { low, high } of ids) assert.equal(slots.settle(slot, low, high, 0), false)
    ids.forEach(({ low, high }, i) => assert.equal(slots.settle(slot, low, high, 0), i === ids.length - 1))
  })

  test('S2: where a chunk ends that has two children, neither may go on under its id', () => {
    const { slots } = new TestSlots(1)
    const slot = slots.open(1, 0, 0)
    slots.settle(slot, 5, 0, 0)
    // One child goes on as 5 and ends below before the worker above has told of its sibling.
    assert.equal(slots.settle(slot, 5, 0, 0), true, 'this is the accident that the rule forbids')
  })

  test('failures are a flag on entries, and do not end a slot', () => {
    const { slots } = new TestSlots(1)
    const slot = slots.open(3, 0, 0)
    slots.settle(slot, 5, 0, 0)
    assert.equal(slots.settle(slot, 0, 0, 2), false)
    assert.equal(slots.settle(slot, 5, 0, 1), true)
    assert.equal(slots.failures(slot), 3)
  })

  test('S3: a slot is opened again after it was closed, as new', () => {
    const { slots } = new TestSlots(1)
    const slot = slots.open(3, 0, 0)
    slots.settle(slot, 5, 0, 1)
    assert.equal(slots.open(1, 1, 0), NO_SLOT)
    slots.settle(slot, 5, 0, 0)
    slots.close(slot)
    assert.equal(slots.open(1, 1, 0), slot)
    assert.deepEqual([slots.failures(slot), slots.count(slot), slots.isDone(slot)], [0, 1, true])
  })

  test('a successor finds them as the last hand-off left them, oldest first', () => {
    const test = new TestSlots(4)
    const [a, b] = [test.slots.open(1, 8, 100), test.slots.open(2, 7, 200)]
    test.slots.settle(a, 5, 6, 0)
    test.slots.settle(b, 7, 8, 1)
    test.commit()
    test.slots.settle(a, 5, 6, 0)
    test.slots.close(a)
    test.revive()
    assert.deepEqual(test.slots.openSlots(), [b, a])
    assert.equal(test.slots.free, 2)
    assert.ok(!test.slots.isDone(a))
    assert.deepEqual([test.slots.born(b), test.slots.failures(b), test.slots.sequence(a)], [200, 1, 8])
    assert.equal(slotBorn(test.words, test.layout, a), 100)
  })

  test('only slots that have changed are stored', () => {
    const test = new TestSlots(4)
    test.slots.open(1, 0, 0)
    assert.equal(test.slots.dirty, 1)
    test.commit()
    assert.equal(test.slots.dirty, 0)
  })
})
