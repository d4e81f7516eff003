import assert from 'node:assert/strict'
import { test } from 'node:test'
import { laneBytes } from '#src/memory/lane.js'
import { viewMemory } from '#src/memory/memory.js'
import { LaneReader } from '#src/lane/reader.js'
import { LaneWriter } from '#src/lane/writer.js'
import { TestLane } from './lane.ts'

const LANE = { offset: 0, shapeBytes: 0, ringBytes: 1024, maxDemand: 1, minDemand: 0 }

test('a reader is woken for a writer that begins to wait, once: it may hold records back for a batch that cannot grow', () => {
  const memory = viewMemory(new SharedArrayBuffer(laneBytes(LANE)))
  const reader = new LaneReader(memory, LANE)
  const writer = new LaneWriter(memory, LANE)
  assert.equal(writer.want(true), true, 'news')
  assert.equal(reader.isWanted, true)
  assert.equal(writer.want(true), false, 'known')
  assert.equal(writer.want(false), false, 'nobody has to be woken because a writer goes on')
  assert.equal(reader.isWanted, false)
  assert.equal(writer.want(true), true)
})

test('a writer without credit is woken by a grant, not by room, and whoever grants first wakes it', () => {
  const lane = new TestLane({ maxDemand: 4, minDemand: 1 })
  for (let i = 0; i < 4; i++) lane.send([1])
  lane.writer.want(true)
  lane.receive(1)
  assert.equal(lane.reader.isWorthWaking, false, 'there is room, but no credit yet')
  lane.receive(1)
  lane.receive(1)
  assert.equal(lane.reader.isWorthWaking, true)
  assert.equal(new LaneReader(lane.memory, lane.layout).isWorthWaking, true, 'a successor does not know who was told')
})

test('a writer that has credit is woken once half of the ring is free, whatever the reader has seen of it', () => {
  const lane = new TestLane({ ringBytes: 1024, maxDemand: 1_000, minDemand: 1 })
  // The reader looks once while there is little on the lane.
  lane.send([1])
  lane.receive(1)
  let sent = 0
  while (lane.send([1])) sent++
  lane.writer.want(true)
  lane.receive(1)
  assert.equal(lane.reader.isWorthWaking, false, 'one frame is free')
  for (let i = 0; i < sent / 2; i++) lane.receive(1)
  assert.equal(lane.reader.isWorthWaking, true)
})
