import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Journal } from '#src/lane/journal.js'
import { viewMemory } from '#src/memory/memory.js'
import type { LinkPlan, Plan } from '#src/plan/types.js'
import { EDGE_FLOATS } from '#src/memory/counters.js'
import { Inlet, LaneChunk } from '#src/worker/in/inlet.js'
import { LinkWriter } from '#src/worker/out/link-writer.js'
import type { Settlement } from '#src/worker/out/settlement.js'
import { TestLane, header } from '../../lane/lane.ts'

const link = { index: 0, to: 0, codec: 'json', dispatch: 'demand', whenFull: 'block', pathType: 'normal' }
const plan = {
  links: [link],
  stages: [{}],
  // A word of the lane's header that nothing uses.
  workers: [{ stage: 0, control: { doorbell: 20 } }],
  maxRecordBytes: 1 << 20,
} as unknown as Plan

/** A record whose every byte says which one it is. */
const record = (n: number, bytes: number): string => String.fromCharCode(65 + (n % 26)).repeat(bytes)

/** A link of one lane that is smaller than some of its records, and the reader's side of it. */
class LargeLink {
  readonly chunk = new LaneChunk()
  inlet!: Inlet
  readonly #lane = new TestLane({ ringBytes: 1024 })
  readonly #ends = [{ link: 0, layout: this.#lane.layout, peer: 0 }]
  readonly #assembly = viewMemory(new SharedArrayBuffer(1 << 16))
  readonly #writer: LinkWriter
  readonly #waiting: string[] = []
  #reading!: Journal
  #chunks = 0

  constructor(records: readonly string[] = []) {
    this.#writer = new LinkWriter({
      memory: this.#lane.memory,
      plan,
      link: link as unknown as LinkPlan,
      ends: this.#ends,
      dispatcherOf: () => undefined,
      counters: new Float64Array(EDGE_FLOATS),
      at: 0,
      settlement: { toggle: () => undefined } as unknown as Settlement,
      keepsIds: true,
    })
    this.reviveReader()
    this.#waiting.push(...records)
    this.write()
  }

  /** A successor of the reader, whose life so far ends without a hand-off. */
  reviveReader(): void {
    this.#reading = new Journal(this.#lane.memory, this.#lane.journals.reader)
    const reading = { start: () => 0, end: () => undefined }
    this.inlet = new Inlet({
      memory: this.#lane.memory,
      assembly: this.#assembly,
      plan,
      ends: this.#ends,
      reading,
      onDrop: () => undefined,
    })
  }

  /** Writes as much as there is room for, each record a chunk of its own. */
  write(): void {
    for (;;) {
      if (this.#writer.waiting === 0) {
        const next = this.#waiting.shift()
        if (next === undefined) break
        this.#writer.endChunk()
        this.#writer.add(next, 0)
        this.#chunks++
      }
      if (!this.#writer.flush(header({ baseLow: this.#chunks }), true, 0, () => assert.fail('refused'))) break
    }
    this.#writer.stage(this.#lane.writing)
    this.#lane.writing.commit()
  }

  /** The reader hands off. */
  commit(): void {
    this.inlet.stage(this.#reading)
    this.#reading.commit()
    this.inlet.wakePeers()
  }

  /** Takes the next chunk, with hand-offs and writing in between as long as nothing comes. */
  takeWhole(): unknown {
    for (let looks = 0; looks < 100; looks++) {
      if (this.inlet.next(this.chunk)) return this.chunk.values[0]
      this.commit()
      this.write()
    }
    return assert.fail('nothing comes')
  }
}

describe('a record in fragments', () => {
  test('F1: waits until nothing else of its lane is in hand, for its room is given back with all before it', () => {
    const link = new LargeLink([record(1, 10), record(2, 5_000)])
    assert.equal(link.takeWhole(), record(1, 10))
    assert.ok(!link.inlet.next(new LaneChunk()))
    assert.ok(link.inlet.isHeldUp, 'whoever gathers a batch is to end it')
    link.commit()
    link.reviveReader()
    assert.equal(link.takeWhole(), record(1, 10), 'it is there still')
    link.inlet.release(link.chunk)
    assert.equal(link.takeWhole(), record(2, 5_000))
    assert.ok(!link.inlet.isHeldUp)
  })

  test('F2: is whole for a successor, whatever was handed off while its last fragment was in hand', () => {
    const link = new LargeLink([record(1, 5_000)])
    assert.equal(link.takeWhole(), record(1, 5_000))
    link.commit()
    link.reviveReader()
    assert.equal(link.takeWhole(), record(1, 5_000))
  })

  test('F3: comes after the hand-off that tells of the one before it', () => {
    const link = new LargeLink([record(1, 700), record(2, 700)])
    assert.equal(link.takeWhole(), record(1, 700))
    link.inlet.release(link.chunk)
    link.write()
    assert.ok(!link.inlet.next(new LaneChunk()))
    link.reviveReader()
    assert.equal(link.takeWhole(), record(1, 700))
    link.inlet.release(link.chunk)
    assert.equal(link.takeWhole(), record(2, 700))
  })

  test('and the whole one behind it are each what they are, once more too', () => {
    const link = new LargeLink([record(1, 700), record(2, 10)])
    assert.equal(link.takeWhole(), record(1, 700))
    const behind = new LaneChunk()
    link.write()
    assert.ok(link.inlet.next(behind))
    assert.deepEqual(link.inlet.again(link.chunk), [record(1, 700)])
    assert.deepEqual(link.inlet.again(behind), [record(2, 10)])
  })

  test('comes exactly once and in order, whenever its reader hands off and dies', () => {
    const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 300, max: 4_000 })), {
      minLength: 1,
      maxLength: 12,
    })
    const acts = fc.array(fc.constantFrom('take', 'take', 'release', 'commit', 'write', 'die'), { maxLength: 60 })
    fc.assert(
      fc.property(sizes, acts, (lengths, then) => {
        const records = lengths.map((bytes, n) => record(n, bytes))
        const link = new LargeLink(records)
        /** Taken and not released; released and not handed off. */
        let held: LaneChunk[] = []
        let released = 0
        let done = 0
        const act = (what: string): void => {
          switch (what) {
            case 'take': {
              const chunk = new LaneChunk()
              if (!link.inlet.next(chunk)) return
              held.push(chunk)
              const place = done + released + held.length - 1
              assert.equal(chunk.values[0], records[place])
              for (const [i, each] of held.entries()) {
                assert.deepEqual(link.inlet.again(each), [records[done + released + i]])
              }
              return
            }
            case 'release':
              if (held.length === 0) return
              link.inlet.release(held.shift()!)
              released++
              return
            case 'commit':
              link.commit()
              done += released
              released = 0
              return
            case 'die':
              link.reviveReader()
              held = []
              released = 0
              return
            default:
              link.write()
          }
        }
        for (const what of then) act(what)
        for (let rounds = 0; done < records.length && rounds < 2_000; rounds++) {
          for (const what of ['take', 'release', 'commit', 'write']) act(what)
        }
        assert.equal(done, records.length)
        assert.ok(!link.inlet.next(new LaneChunk()))
      }),
      { numRuns: 500 },
    )
  })
})
