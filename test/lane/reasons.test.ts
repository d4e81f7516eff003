import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Journal } from '#src/lane/journal.js'
import { ReasonReader, ReasonWriter, reasonsLost } from '#src/lane/reasons.js'
import { reasonsBytes } from '#src/memory/reasons.js'
import { Space } from './lane.ts'

class TestReasons {
  readonly #space = new Space()
  readonly #layout
  readonly #journals
  writer!: ReasonWriter
  reader!: ReasonReader
  #writing!: Journal
  #reading!: Journal

  constructor(words: number, from = 0) {
    this.#layout = { offset: this.#space.take(reasonsBytes(words)), words }
    this.#journals = [this.#space.journal(), this.#space.journal()] as const
    const memory = this.#space.made().words
    memory[this.#layout.offset / 4] = memory[this.#layout.offset / 4 + 32] = from
    this.revive()
  }

  /** Successors of both. */
  revive(): void {
    const { memory } = this.#space
    this.writer = new ReasonWriter(memory, this.#layout)
    this.reader = new ReasonReader(memory, this.#layout)
    this.#writing = new Journal(memory, this.#journals[0])
    this.#reading = new Journal(memory, this.#journals[1])
  }

  put(text: string, ...slots: number[]): void {
    this.writer.put(Buffer.from(text), slots)
  }

  publish(): void {
    this.writer.stage(this.#writing)
    this.#writing.commit()
  }

  release(): void {
    this.reader.stage(this.#reading)
    this.#reading.commit()
  }

  /** What there is to take. */
  taken(): [string, number[]][] {
    const found: [string, number[]][] = []
    while (this.reader.poll()) found.push([this.reader.text, [...this.reader.slots]])
    return found
  }

  get lost(): number {
    return reasonsLost(this.#space.memory, this.#layout)
  }
}

describe('a ring of reasons', () => {
  test('reasons arrive as they were put, in their order, across its end and past 2^32', () => {
    const reasons = new TestReasons(16, -20)
    for (let i = 0; i < 20; i++) {
      const text = 'öx'.repeat(i % 6)
      reasons.put(text, i, i + 1, i + 2)
      reasons.publish()
      assert.deepEqual(reasons.taken(), [[text, [i, i + 1, i + 2]]])
      reasons.release()
    }
    assert.equal(reasons.lost, 0)
  })

  test('a reason is not seen before its hand-off', () => {
    const reasons = new TestReasons(16)
    reasons.put('why', 1)
    assert.deepEqual(reasons.taken(), [])
    reasons.publish()
    assert.deepEqual(reasons.taken(), [['why', [1]]])
  })

  test('N1: a full ring takes as many slots as there is room for, and counts the others; nobody waits', () => {
    const reasons = new TestReasons(8)
    reasons.put('abcd', ...Array.from({ length: 9 }, (_, slot) => slot))
    reasons.put('more', 9)
    reasons.publish()
    assert.deepEqual(reasons.taken(), [['abcd', [0, 1, 2, 3, 4]]])
    assert.equal(reasons.lost, 5)
    reasons.reader.lose(2)
    reasons.release()
    assert.equal(reasons.lost, 7)
    reasons.put('more', 9)
    reasons.publish()
    assert.deepEqual(reasons.taken(), [['more', [9]]])
  })

  test('N3: after deaths a reason is there once: not one that was only put, but one that was only looked at', () => {
    const reasons = new TestReasons(16)
    reasons.put('one', 1)
    reasons.publish()
    reasons.put('two', 2)
    reasons.taken()
    reasons.revive()
    assert.deepEqual(reasons.taken(), [['one', [1]]])
    reasons.release()
    reasons.revive()
    assert.deepEqual(reasons.taken(), [])
  })
})
