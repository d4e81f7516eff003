import assert from 'node:assert/strict'
import { test } from 'node:test'
import { laneBytes } from '#src/lane/layout.js'
import { viewMemory } from '#src/lane/memory.js'
import { LaneReader } from '#src/lane/reader.js'
import { LaneWriter } from '#src/lane/writer.js'

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
