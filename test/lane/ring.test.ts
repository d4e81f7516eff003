import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  FRAME_ALIGN,
  FRAME_BYTES,
  FRAME_HEADER_BYTES,
  GRANTED,
  HEAD,
  LANE_HEADER_BYTES,
  SENT,
  TAIL,
  TAKEN,
  align,
  headerBytes,
  laneBytes,
  maxFrameBytes,
  ringOffset,
} from '#src/memory/lane.js'
import { LINE_BYTES } from '#src/memory/memory.js'
import { NO_FRAME } from '#src/lane/reader.js'
import { NO_ROOM } from '#src/lane/writer.js'
import { TestLane } from './lane.ts'

const payloadOf = (length: number, seed: number): number[] => Array.from({ length }, (_, i) => (seed * 7 + i) & 255)

describe('the layout of a lane', () => {
  test('words of the writer and of the reader lie on different lines', () => {
    assert.ok(HEAD - TAIL >= LINE_BYTES / 4)
    assert.ok(LANE_HEADER_BYTES >= 2 * LINE_BYTES)
  })

  test('the ring begins behind the header and the shape table, and ends with the lane', () => {
    const layout = { offset: 1024, shapeBytes: 256, ringBytes: 2048, maxDemand: 1, minDemand: 0 }
    assert.equal(ringOffset(layout), 1024 + LANE_HEADER_BYTES + 256)
    assert.equal(laneBytes(layout), LANE_HEADER_BYTES + 256 + 2048)
  })

  test('frames and their records begin at multiples of eight bytes', () => {
    for (let bytes = 1; bytes < 100; bytes++) {
      assert.equal(align(bytes) % FRAME_ALIGN, 0)
      assert.ok(align(bytes) >= bytes && align(bytes) < bytes + FRAME_ALIGN)
      assert.equal(headerBytes(bytes) % FRAME_ALIGN, 0)
    }
    assert.equal(headerBytes(0), FRAME_HEADER_BYTES)
  })

  test('the largest frame fits an empty ring, wherever the tail stands', () => {
    for (let from = 0; from < 1024; from += 8) {
      const lane = new TestLane({ from })
      assert.notEqual(lane.writer.claim(maxFrameBytes(1024)), NO_ROOM, `from ${from}`)
    }
  })
})

describe('a ring', () => {
  test('empty and full are values', () => {
    const lane = new TestLane({ ringBytes: 128 })
    assert.equal(lane.reader.poll(), NO_FRAME)
    assert.ok(lane.send([1]))
    assert.ok(lane.send([2]))
    assert.equal(lane.writer.claim(48), NO_ROOM)
    assert.deepEqual(lane.receive(1), [1])
    assert.deepEqual(lane.receive(1), [2])
    assert.equal(lane.receive(1), undefined)
    assert.notEqual(lane.writer.claim(48), NO_ROOM)
  })

  test('R2: a frame is not seen before its hand-off', () => {
    const lane = new TestLane()
    lane.write([1, 2, 3])
    assert.equal(lane.reader.poll(), NO_FRAME)
    assert.ok(lane.writer.hasUncommitted)
    lane.publish()
    assert.ok(!lane.writer.hasUncommitted)
    assert.deepEqual(lane.look(3), [1, 2, 3])
  })

  test('W2: room comes back with the hand-off of the reader, not before', () => {
    const lane = new TestLane({ ringBytes: 128 })
    lane.send([1])
    lane.send([2])
    lane.look(1)
    assert.equal(lane.writer.claim(48), NO_ROOM)
    lane.release(1)
    assert.notEqual(lane.writer.claim(48), NO_ROOM)
  })

  test('padding fills the end of the ring, and is passed over', () => {
    const lane = new TestLane({ ringBytes: 128 })
    for (let i = 0; i < 20; i++) {
      assert.ok(lane.send([i]), `record ${i}`)
      const at = lane.reader.poll()
      assert.ok(at + 48 <= ringOffset(lane.layout) + 128, 'no frame wraps')
      assert.equal(lane.memory.words[at / 4 + FRAME_BYTES], 48)
      assert.deepEqual(lane.receive(1), [i])
    }
    assert.notEqual(lane.word(TAIL), 20 * 48, 'there was padding')
  })

  test('frames carry their anchors, and the records begin behind them', () => {
    const lane = new TestLane()
    lane.send([9, 8], { furtherAnchors: [3, 4, 5] })
    assert.deepEqual(lane.look(2, 3), [9, 8])
  })

  test('a chunk that is released in part stays, and is counted once', () => {
    const lane = new TestLane()
    lane.send([1])
    const at = lane.reader.poll()
    const position = lane.reader.take(at)
    lane.reader.release(position, 1, 1)
    assert.equal(lane.reader.part, 1)
    assert.equal(lane.reader.releasedPosition, position)
  })

  test('W1, R1: any records, in any rhythm, arrive once and in order, round the ring and past 2^32', () => {
    const step = fc.record({
      lengths: fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 5 }),
      reads: fc.integer({ min: 0, max: 5 }),
    })
    const from = fc.constantFrom(0, 96, -8, -1024, -2048, 2 ** 31 - 8 - 1024, -(2 ** 31))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), from, (steps, start) => {
        const lane = new TestLane({ ringBytes: 1024, maxDemand: 7, minDemand: 3, from: start & -8 })
        const sent: number[][] = []
        let next = 0
        for (const { lengths, reads } of steps) {
          for (const length of lengths) {
            const payload = payloadOf(length, sent.length)
            if (lane.write(payload)) sent.push(payload)
          }
          lane.publish()
          for (let i = 0; i < reads && next < sent.length; i++, next++) {
            assert.deepEqual(lane.receive(sent[next]!.length), sent[next])
          }
          const used = (lane.word(TAIL) - lane.word(HEAD)) | 0
          assert.ok(used >= 0 && used <= 1024)
          assert.equal(lane.word(SENT) - lane.word(TAKEN), sent.length - next)
        }
        for (; next < sent.length; next++) assert.deepEqual(lane.receive(sent[next]!.length), sent[next])
        assert.equal(lane.receive(0), undefined)
      }),
      { numRuns: 300 },
    )
  })
})

describe('credit', () => {
  test('W3: no more is sent than was granted, and it never is negative', () => {
    const lane = new TestLane({ ringBytes: 4096, maxDemand: 3, minDemand: 0 })
    for (let i = 0; i < 3; i++) assert.ok(lane.send([i]))
    assert.equal(lane.writer.credit(), 0)
    assert.ok(!lane.send([3]))
    assert.equal(lane.word(SENT), 3)
  })

  test('R3: at most maxDemand records are on the lane', () => {
    const lane = new TestLane({ ringBytes: 8192, maxDemand: 5, minDemand: 4 })
    for (let round = 0; round < 20; round++) {
      while (lane.send([round]));
      assert.ok(lane.word(SENT) - lane.word(TAKEN) <= 5)
      assert.ok(lane.word(GRANTED) - lane.word(TAKEN) <= 5)
      lane.receive(1)
    }
  })

  test('credit is granted anew when minDemand is left, not before', () => {
    const lane = new TestLane({ ringBytes: 8192, maxDemand: 10, minDemand: 4 })
    while (lane.send([0]));
    for (let i = 0; i < 5; i++) lane.receive(1)
    assert.equal(lane.writer.credit(), 0, 'five are left')
    lane.receive(1)
    assert.equal(lane.writer.credit(), 6, 'four are left, so it grants up to ten')
  })

  test('a writer is worth waking when credit was granted and it waits', () => {
    const lane = new TestLane({ ringBytes: 8192, maxDemand: 2, minDemand: 0 })
    while (lane.send([0]));
    lane.receive(1)
    lane.receive(1)
    assert.ok(!lane.reader.isWorthWaking, 'it does not wait')
    lane.writer.want(true)
    assert.ok(lane.reader.isWorthWaking)
  })

  test('a reader whose writer waited before it came is told that it is worth waking', () => {
    const lane = new TestLane({ maxDemand: 2 })
    lane.memory.words.fill(0)
    lane.reviveWriter()
    assert.equal(lane.writer.credit(), 0)
    lane.writer.want(true)
    lane.reviveReader()
    assert.ok(lane.reader.isWorthWaking)
    assert.equal(lane.writer.credit(), 2)
  })

  test('what is older than asked for is to be dropped by the reader', () => {
    const lane = new TestLane({ ringBytes: 8192 })
    for (let i = 0; i < 5; i++) lane.send([i])
    assert.equal(lane.reader.toDrop, 0)
    lane.writer.askToDrop(2)
    assert.equal(lane.reader.toDrop, 3)
    lane.receive(1)
    assert.equal(lane.reader.toDrop, 2)
  })
})

describe('a successor', () => {
  test('of the writer goes on behind the last hand-off, and forgets what was written beyond it', () => {
    const lane = new TestLane()
    lane.send([1])
    lane.write([2])
    lane.reviveWriter()
    assert.equal(lane.writer.sentBefore, 1)
    lane.send([3])
    assert.deepEqual([lane.receive(1), lane.receive(1), lane.receive(1)], [[1], [3], undefined])
  })

  test('of the reader sees what was taken and not released once more', () => {
    const lane = new TestLane()
    lane.send([1])
    lane.send([2])
    lane.receive(1)
    lane.look(1)
    lane.reviveReader()
    assert.deepEqual(lane.receive(1), [2])
  })

  test('finds how far the chunk in hand was sent', () => {
    const lane = new TestLane()
    lane.write([1])
    lane.writer.resume = 1
    lane.publish()
    lane.reviveWriter()
    assert.equal(lane.writer.resume, 1)
    assert.equal(lane.writer.sentBefore, 0)
  })
})
