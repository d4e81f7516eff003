import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FRAME_COUNT, FRAME_SALT } from '#src/memory/lane.js'
import { NO_FRAME } from '#src/lane/reader.js'
import type { ChunkHeader } from '#src/lane/writer.js'
import type { LinkPlan, Plan } from '#src/plan/types.js'
import { EDGE_FLOATS } from '#src/memory/counters.js'
import { tokenOf } from '#src/worker/chunk.js'
import { mixed } from '#src/lane/ids.js'
import { dispatcherOf } from '#src/worker/out/dispatch.js'
import { LinkWriter } from '#src/worker/out/link-writer.js'
import type { Settlement } from '#src/worker/out/settlement.js'
import { TestLane, header } from '../../lane/lane.ts'

const WHOLE = header({ slot: 1, baseLow: 11, baseHigh: 12, first: 5 })

/** A link, and the ids that were born on it. Several lanes lie in one place: then nothing but the ids can be looked at. */
class TestLink {
  /** The only one, or the last of several. */
  readonly lane: TestLane
  readonly writer: LinkWriter
  readonly born: [low: number, high: number][] = []

  constructor({ maxDemand = 64, keepsIds = true, lanes = 1 } = {}) {
    this.lane = new TestLane({ ringBytes: 4096, maxDemand })
    const link = { index: 0, to: 0, codec: 'json', dispatch: 'demand', whenFull: 'block', pathType: 'normal' }
    const toggle = (head: ChunkHeader): void => {
      tokenOf(head)
      this.born.push([mixed.low, mixed.high])
    }
    this.writer = new LinkWriter({
      memory: this.lane.memory,
      plan: { stages: [{}], workers: [{ control: { doorbell: 0 } }], maxRecordBytes: 1 << 20 } as unknown as Plan,
      link: link as unknown as LinkPlan,
      ends: Array.from({ length: lanes }, () => ({ link: 0, layout: this.lane.layout, peer: 0 })),
      dispatcherOf: () =>
        lanes === 1 ? undefined : dispatcherOf({ dispatch: 'roundRobin', toNode: 'out' }, {}, lanes, 0),
      counters: new Float64Array(EDGE_FLOATS),
      at: 0,
      settlement: { toggle } as unknown as Settlement,
      keepsIds,
    })
  }

  /** Sends so many records of a chunk; true where all went. */
  flush(records: number, isWhole: boolean): boolean {
    const values = Array.from({ length: records }, (_, i) => i)
    if (!this.writer.addRun(values, 0, records)) for (const i of values) this.writer.add(i, i)
    return this.writer.flush(WHOLE, isWhole, 0, () => assert.fail('refused'))
  }

  /** Records and salt of each frame that was written, once all are handed off. */
  frames(): [count: number, salt: number][] {
    const frames: [number, number][] = []
    const { reader, memory } = this.lane
    for (let at = reader.poll(); at !== NO_FRAME; at = reader.poll()) {
      frames.push([memory.words[at / 4 + FRAME_COUNT]!, memory.words[at / 4 + FRAME_SALT]!])
      reader.take(at)
    }
    return frames
  }

  publish(): void {
    this.writer.stage(this.lane.writing)
    this.lane.writing.commit()
  }
}

function token(head: ChunkHeader): [number, number] {
  tokenOf(head)
  return [mixed.low, mixed.high]
}

describe('a frame on a link', () => {
  test('S2: that is all that comes of its chunk goes on under the id of the chunk', () => {
    const link = new TestLink()
    assert.ok(link.flush(3, true))
    link.publish()
    assert.deepEqual(link.frames(), [[3, 0]])
    assert.deepEqual(link.born, [token(WHOLE)], 'so the chunk that ends cancels it')
  })

  test('S2: beside which something else comes of its chunk gets an id of its own', () => {
    const link = new TestLink()
    assert.ok(link.flush(3, false))
    assert.notDeepEqual(link.born, [token(WHOLE)])
  })

  test('S2: that holds a part of its chunk only gets an id of its own, and so does the rest', () => {
    const link = new TestLink({ maxDemand: 2 })
    assert.ok(!link.flush(3, true))
    link.publish()
    assert.deepEqual(link.lane.look(0)?.length, 0)
    link.lane.release(2)
    assert.ok(link.writer.flush(WHOLE, false, 0, () => assert.fail('refused')))
    assert.equal(link.born.length, 2)
    const ids = [...link.born, token(WHOLE)].map(String)
    assert.equal(new Set(ids).size, 3)
  })

  test('S2: on one of several lanes that share the chunk gets an id of its own, the first one too', () => {
    const link = new TestLink({ lanes: 3 })
    assert.ok(link.flush(3, true))
    assert.equal(link.born.length, 3)
    const ids = [...link.born, token(WHOLE)].map(String)
    assert.equal(new Set(ids).size, 4)
  })

  test('of several records that come of one input gets ids from a base of its own', () => {
    const link = new TestLink({ keepsIds: false })
    assert.ok(link.flush(3, false))
    assert.notDeepEqual(link.born, [token(WHOLE)])
  })
})
