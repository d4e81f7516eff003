import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Handoff } from '#src/worker/handoff.js'
import { LaneChunk } from '#src/worker/in/inlet.js'
import { BLOCKED, PROGRESS, type Parts, STARVED } from '#src/worker/stage.js'
import { Unit } from '#src/worker/unit.js'
import { header } from '../lane/lane.ts'

/** A unit between parts that write down what they are asked for. */
class Told {
  readonly calls: string[] = []
  hasAckRoom = true
  hasLaneRoom = true
  isDirty = false
  hasEnded = false
  readonly unit: Unit

  constructor() {
    const tell = (name: string) => (): void => void this.calls.push(name)
    const parts = {
      clock: { read: tell('clock'), stamp: 0 },
      outlet: {
        abortFragments: () => undefined,
        isBehind: false,
        open: tell('open'),
        close: tell('close'),
        flush: () => this.calls.push('flush') > 0 && this.hasLaneRoom,
        tally: (_: number, records: number) => void this.calls.push(`in ${records}`),
      },
      inlet: { release: tell('release'), releasePart: (_: unknown, to: number) => void this.calls.push(`part ${to}`) },
      settlement: { toggle: tell('settle') },
      pending: { finish: tell('finish') },
      markers: { isAsked: false },
      plan: {},
      histograms: {},
    } as unknown as Parts
    const isDirty = (): boolean => this.isDirty
    const handoff = {
      get isDirty() {
        return isDirty()
      },
      release: () => false,
      passEnd: () => this.hasEnded,
      closed: tell('closed'),
      add: (records: number) => void this.calls.push(`add ${records}`),
      commit: () => this.calls.push('commit') > 0 && this.hasAckRoom,
      commitPart: tell('commit part'),
    } as unknown as Handoff
    this.unit = new Unit(parts, handoff)
  }

  take(): string[] {
    return this.calls.splice(0)
  }
}

const sender = (told: Told) => ({
  hold: (): void => void told.calls.push('hold'),
  drop: (): void => void told.calls.push('drop'),
  beforePart: (): void => void told.calls.push('before part'),
})

test('a hand-off for which the ack lanes had no room is the first thing of the next step', () => {
  const told = new Told()
  told.hasAckRoom = false
  assert.equal(told.unit.commit(), BLOCKED)
  assert.equal(told.unit.start(), BLOCKED)
  told.hasAckRoom = true
  assert.equal(told.unit.start(), PROGRESS)
  assert.equal(told.unit.start(), undefined)
})

test('records are in hand while what came of them is written, and no longer', () => {
  const told = new Told()
  told.unit.open(header(), 1)
  told.take()
  assert.equal(told.unit.send(sender(told)), true)
  assert.deepEqual(told.take(), ['hold', 'flush', 'drop'])
})

test('where some of it has no room, what has is handed off, with nothing in hand', () => {
  const told = new Told()
  told.hasLaneRoom = false
  told.unit.open(header(), 1)
  told.take()
  assert.equal(told.unit.send(sender(told)), false)
  assert.deepEqual(told.take(), ['hold', 'flush', 'drop'])
  told.isDirty = true
  assert.equal(told.unit.send(sender(told)), false)
  assert.deepEqual(told.take(), ['hold', 'flush', 'drop', 'before part', 'commit part'])
})

test('a chunk is settled with the last of its records; before that only its part goes back', () => {
  const told = new Told()
  const chunk = new LaneChunk()
  chunk.count = 5
  assert.equal(told.unit.giveBack(chunk, 0, 2), false)
  assert.deepEqual(told.take(), ['in 2', 'part 2'])
  assert.equal(told.unit.giveBack(chunk, 2, 5), true)
  assert.deepEqual(told.take(), ['in 3', 'settle', 'release'])
})

test('what is done is handed off before the worker waits; only then does it say until when', () => {
  const told = new Told()
  told.isDirty = true
  assert.equal(told.unit.wait(STARVED, 7), PROGRESS)
  assert.equal(told.unit.wakeAt, Infinity)
  told.isDirty = false
  assert.equal(told.unit.wait(STARVED, 7), STARVED)
  assert.equal(told.unit.wakeAt, 7)
  told.unit.start()
  assert.equal(told.unit.wakeAt, Infinity)
})

test('that nothing can come any more is handed off too, once there is nothing else to hand off', () => {
  const told = new Told()
  told.hasEnded = true
  assert.equal(told.unit.wait(STARVED), STARVED)
  assert.deepEqual(told.take(), [])
  assert.equal(told.unit.idle(STARVED, Infinity), PROGRESS)
  assert.deepEqual(told.take(), ['commit'])
})
