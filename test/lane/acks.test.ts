import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AckReader, AckWriter } from '#src/lane/acks.js'
import { ackLaneBytes } from '#src/memory/acks.js'
import { Journal } from '#src/lane/journal.js'
import { Space } from './lane.ts'

class TestAcks {
  readonly #space = new Space()
  readonly #layout
  readonly #journals
  writer!: AckWriter
  reader!: AckReader
  #writing!: Journal
  #reading!: Journal

  constructor(entries: number, from = 0) {
    this.#layout = { offset: this.#space.take(ackLaneBytes(entries)), entries }
    this.#journals = [this.#space.journal(), this.#space.journal()] as const
    const { words } = this.#space.made()
    words[this.#layout.offset / 4] = words[this.#layout.offset / 4 + 32] = from
    this.revive()
  }

  /** Successors of both. */
  revive(): void {
    const { memory } = this.#space
    this.writer = new AckWriter(memory, this.#layout)
    this.reader = new AckReader(memory, this.#layout)
    this.#writing = new Journal(memory, this.#journals[0])
    this.#reading = new Journal(memory, this.#journals[1])
  }

  publish(): boolean {
    const bringsEntries = this.writer.stage(this.#writing)
    this.#writing.commit()
    return bringsEntries
  }

  release(): void {
    this.reader.stage(this.#reading)
    this.#reading.commit()
  }
}

describe('an ack lane', () => {
  test('entries arrive as they were put, in their order, past 2^32', () => {
    const acks = new TestAcks(4, -2)
    for (let i = 0; i < 10; i++) {
      acks.writer.put(i, -i, i << 20, i & 1)
      assert.ok(acks.publish())
      assert.ok(acks.reader.poll())
      const { slot, low, high, failures } = acks.reader
      assert.deepEqual([slot, low, high, failures], [i, 0 - i, i << 20, i & 1])
      acks.release()
    }
    assert.ok(!acks.reader.poll())
    assert.ok(!acks.publish(), 'nothing new')
  })

  test('A2: an entry is not seen before its hand-off', () => {
    const acks = new TestAcks(4)
    acks.writer.put(1, 2, 3, 0)
    assert.ok(!acks.reader.poll())
    acks.publish()
    assert.ok(acks.reader.poll())
  })

  test('A1: a full lane has no room until the source has handed off', () => {
    const acks = new TestAcks(2)
    acks.writer.put(1, 1, 0, 0)
    acks.writer.put(2, 1, 0, 0)
    acks.publish()
    assert.ok(!acks.writer.hasRoom(1))
    acks.reader.poll()
    assert.ok(!acks.writer.hasRoom(1))
    acks.release()
    assert.ok(acks.writer.hasRoom(1))
    assert.ok(!acks.writer.hasRoom(2))
  })

  test('a worker that waits for room is worth waking, and no longer when it has room', () => {
    const acks = new TestAcks(1)
    acks.writer.put(1, 1, 0, 0)
    acks.publish()
    assert.ok(!acks.reader.isWorthWaking)
    acks.writer.hasRoom(1)
    acks.reader.poll()
    acks.release()
    assert.ok(acks.reader.isWorthWaking)
    assert.ok(acks.writer.hasRoom(1))
    assert.ok(!acks.reader.isWorthWaking)
  })

  test('a source is worth waking when it asks for it, or when the lane is more than half full', () => {
    const acks = new TestAcks(4)
    acks.writer.put(1, 1, 0, 0)
    acks.publish()
    assert.ok(!acks.writer.isWorthWaking)
    acks.reader.want(true)
    assert.ok(acks.writer.isWorthWaking)
    acks.reader.want(false)
    for (let i = 0; i < 2; i++) acks.writer.put(1, 1, 0, 0)
    acks.publish()
    assert.ok(acks.writer.isWorthWaking)
  })

  test('A3: after deaths an entry is there once: not one that was only put, but one that was only looked at', () => {
    const acks = new TestAcks(4)
    acks.writer.put(1, 1, 0, 0)
    acks.publish()
    acks.writer.put(2, 1, 0, 0)
    acks.reader.poll()
    acks.revive()
    assert.ok(acks.reader.poll())
    assert.equal(acks.reader.slot, 1)
    acks.release()
    acks.revive()
    assert.ok(!acks.reader.poll())
  })
})
