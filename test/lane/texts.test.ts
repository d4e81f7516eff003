import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HEAD, SHAPES } from '#src/memory/lane.js'
import { Texts } from '#src/lane/texts.js'
import { MAX_TEXT_BYTES, laneTexts } from '#src/memory/texts.js'
import fc from 'fast-check'
import { TestLane } from './lane.ts'

/** A table of two halves of `halfBytes` each, and both ends of it. */
function tableOf(
  halfBytes: number,
  ringBytes = 1024,
): { lane: TestLane; writer: Texts; reader: Texts; next: () => Texts } {
  const lane = new TestLane({ shapeBytes: 2 * halfBytes, ringBytes })
  const next = (): Texts => new Texts(lane.memory, laneTexts(lane.layout))
  const writer = next()
  // An encoder takes up what its table holds when it is made.
  writer.texts()
  return { lane, writer, reader: next(), next }
}

/** As if the reader had released so many bytes more. */
function release({ memory, layout }: TestLane, bytes: number): void {
  memory.words[layout.offset / 4 + HEAD]! += bytes
}

describe('a table of texts', () => {
  test('what one side adds, the other reads, in any script', () => {
    const { writer, reader } = tableOf(1024)
    for (const text of ['', 'a', 'Grüße', '日本語', '🦆'.repeat(3), '\0"\\']) {
      const number = writer.numberOf(text)
      assert.ok(number > 0)
      assert.equal(reader.text(number), text)
      assert.equal(writer.numberOf(text), number)
    }
    assert.deepEqual(writer.texts(), ['', 'a', 'Grüße', '日本語', '🦆'.repeat(3), '\0"\\'])
  })

  test('a full half is a value, and it still takes what is short enough', () => {
    const { writer } = tableOf(32)
    assert.ok(writer.numberOf('0123456789') > 0)
    assert.equal(writer.numberOf('0123456789abcdef'), 0)
    assert.ok(writer.numberOf('0123') > 0)
    assert.deepEqual(writer.texts(), ['0123456789', '0123'])
    assert.ok(tableOf(32).writer.numberOf('x'.repeat(writer.maxTextBytes)) > 0)
    assert.equal(tableOf(32).writer.numberOf('x'.repeat(writer.maxTextBytes + 1)), 0)
  })

  test('it outlives both workers', () => {
    const { writer, next } = tableOf(64)
    const first = writer.numberOf('first')
    const successor = next()
    assert.deepEqual(successor.texts(), ['first'])
    assert.equal(successor.numberOf('first'), first)
    assert.equal(next().text(successor.numberOf('second')), 'second')
  })

  test('it does not reach into the ring', () => {
    const { lane, writer } = tableOf(32)
    lane.send([1, 2, 3])
    writer.numberOf('x'.repeat(28))
    writer.restart()
    release(lane, 1024)
    release(lane, -1024)
    writer.numberOf('y'.repeat(28))
    assert.deepEqual(lane.receive(3), [1, 2, 3])
  })

  test('X2: a half is started anew only when the reader has gone a whole ring past where it was left', () => {
    const { lane, writer, reader } = tableOf(64)
    release(lane, 1024)
    assert.ok(writer.restart(), 'nothing was ever written in the second half')
    const second = writer.numberOf('second')
    release(lane, 1023)
    assert.equal(writer.restart(), false)
    release(lane, 1)
    assert.ok(writer.restart())
    const third = writer.numberOf('third')
    assert.equal(reader.text(second), 'second', 'what was left stays readable')
    assert.equal(reader.text(third), 'third')
    assert.equal(writer.restart(), false)
  })

  test('X2: a successor waits as long as if its predecessor had left the other half just now', () => {
    const { lane, writer, next } = tableOf(64)
    release(lane, 5_000)
    assert.ok(writer.restart())
    release(lane, 5_000)
    const successor = next()
    assert.equal(successor.restart(), false)
    release(lane, 1024)
    assert.ok(successor.restart())
  })

  test('X1, X2, X3: what a frame names reads as it was written, whoever dies and however often the writer starts over', () => {
    const step = fc.record({
      texts: fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 4 }),
      restarts: fc.nat({ max: 2 }),
      reads: fc.nat({ max: 3 }),
      dies: fc.constantFrom('', '', '', 'writer', 'reader'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.constantFrom(0, 2 ** 31 - 512, -512), (steps, from) => {
        const lane = new TestLane({ shapeBytes: 128, ringBytes: 1024, from })
        const end = (): Texts => new Texts(lane.memory, laneTexts(lane.layout))
        let [writer, reader] = [end(), end()]
        const frames: { text: string; number: number }[][] = []
        const read = (): void => {
          const payload = lane.look(16)!
          const named = frames.shift()!
          assert.deepEqual(
            payload.slice(0, named.length),
            named.map(({ number }) => number & 255),
          )
          for (const { text, number } of named) assert.equal(reader.text(number), text)
        }
        for (const { texts, restarts, reads, dies } of steps) {
          for (let i = 0; i < restarts; i++) writer.restart()
          const named = texts
            .map((n) => ({ text: `text ${n}`, number: writer.numberOf(`text ${n}`) }))
            .filter(({ number }) => number > 0)
          const payload = Array.from({ length: 16 }, (_, i) => (named[i]?.number ?? 0) & 255)
          if (lane.write(payload) && dies !== 'writer') {
            lane.publish()
            frames.push(named)
          }
          if (dies === 'writer') {
            lane.reviveWriter()
            writer = end()
          }
          if (dies === 'reader' && frames.length > 0) {
            const [first] = frames
            read()
            frames.unshift(first!)
            lane.reviveReader()
            reader = end()
          }
          for (let i = 0; i < reads && frames.length > 0; i++) {
            read()
            lane.release(1)
          }
        }
      }),
      { numRuns: 200 },
    )
  })

  test('X3: no number is given twice, also where generations start over', () => {
    const { lane, writer, next } = tableOf(64)
    const given = new Set<number>()
    for (let i = 0; i < 50; i++) {
      for (const text of ['a', 'bb', 'ccc', `${i}`]) {
        const number = writer.numberOf(text)
        assert.ok(!given.has(number))
        given.add(number)
      }
      release(lane, 1024)
      assert.ok(writer.restart())
    }
    lane.memory.words[lane.layout.offset / 4 + SHAPES] = (2 ** 19 - 1) * 4096
    const last = next()
    const before = last.numberOf('before')
    release(lane, 1024)
    assert.ok(last.restart())
    const after = last.numberOf('after')
    assert.ok(before > 0 && after > 0)
    assert.equal(next().text(before), 'before')
    assert.equal(next().text(after), 'after')
  })

  test('X4: a writer that died in the middle of a text leaves nothing of it', () => {
    const { lane, writer, next } = tableOf(64)
    writer.numberOf('whole')
    const used = lane.memory.words[lane.layout.offset / 4 + SHAPES]!
    writer.numberOf('half')
    lane.memory.words[lane.layout.offset / 4 + SHAPES] = used
    const successor = next()
    assert.deepEqual(successor.texts(), ['whole'])
    assert.equal(next().text(successor.numberOf('other')), 'other')
  })

  test('the word holds the number of each place of the largest table', () => {
    const { writer, reader } = tableOf((MAX_TEXT_BYTES / 2) & -8)
    let last = 0
    for (let i = 0; writer.numberOf(`${i}`) > 0; i++) last = writer.numberOf(`${i}`)
    assert.ok(Number.isInteger(Number(reader.text(last))))
  })
})
