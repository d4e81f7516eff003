import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { laneTexts, Texts } from '#src/lane/texts.js'
import { TestLane } from './lane.ts'

describe('a table of texts', () => {
  test('what one side adds, the other reads, in any script, and numbers begin at one', () => {
    const lane = new TestLane({ shapeBytes: 1024 })
    const [adding, reading] = [0, 1].map(() => new Texts(lane.memory, laneTexts(lane.layout)))
    for (const [i, text] of ['', 'a', 'Grüße', '日本語', '🦆'.repeat(3), '\0"\\'].entries()) {
      assert.equal(adding!.add(text), i + 1)
      assert.equal(reading!.texts()[i], text)
    }
    assert.deepEqual(reading!.texts(), adding!.texts())
  })

  test('a full table is a value, and it still takes what is short enough', () => {
    const lane = new TestLane({ shapeBytes: 32 })
    const texts = new Texts(lane.memory, laneTexts(lane.layout))
    assert.equal(texts.add('0123456789'), 1)
    assert.equal(texts.add('0123456789abcdef'), 0)
    assert.equal(texts.add('0123'), 2)
    assert.deepEqual(texts.texts(), ['0123456789', '0123'])
  })

  test('it outlives both workers', () => {
    const lane = new TestLane({ shapeBytes: 64 })
    new Texts(lane.memory, laneTexts(lane.layout)).add('first')
    const successor = new Texts(lane.memory, laneTexts(lane.layout))
    assert.deepEqual(successor.texts(), ['first'])
    assert.equal(successor.add('second'), 2)
  })

  test('it does not reach into the ring', () => {
    const lane = new TestLane({ shapeBytes: 32 })
    const texts = new Texts(lane.memory, laneTexts(lane.layout))
    lane.send([1, 2, 3])
    texts.add('x'.repeat(28))
    assert.deepEqual(lane.receive(3), [1, 2, 3])
  })
})
