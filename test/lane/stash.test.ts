import assert from 'node:assert/strict'
import { GAP, TRACED } from '#src/memory/lane.js'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Journal } from '#src/lane/journal.js'
import { Stash, type StashEntry } from '#src/lane/stash.js'
import { stashBytes } from '#src/memory/stash.js'
import { NO_ROOM } from '#src/lane/writer.js'
import { Space, header } from './lane.ts'

const RING = 4096

class TestStash {
  readonly #space = new Space()
  readonly #layout
  readonly #journalLayout
  stash!: Stash
  journal!: Journal

  constructor() {
    this.#layout = {
      offset: this.#space.take(stashBytes({ textBytes: 0, ringBytes: RING })),
      textBytes: 0,
      ringBytes: RING,
    }
    this.#journalLayout = this.#space.journal()
    this.#space.made()
    this.revive()
  }

  revive(): void {
    this.stash = new Stash(this.#space.memory, this.#layout)
    this.journal = new Journal(this.#space.memory, this.#journalLayout)
  }

  /** Puts an entry whose record is one word; undefined where there is no room. */
  put(value: number, bytes = 8, given: Parameters<typeof header>[0] = {}): StashEntry | undefined {
    const head = header(given)
    if (!this.stash.hasRoom(96 + bytes)) return undefined
    const at = this.stash.claim(96 + bytes)
    if (at === NO_ROOM) return undefined
    const body = this.stash.body(at, head.furtherAnchors.length)
    this.#space.memory.words[body / 4] = value
    return this.stash.append(at, body + bytes, head, 0, 0)
  }

  value(entry: StashEntry): number {
    return this.#space.memory.words[this.stash.body(entry.at, this.stash.header(entry).furtherAnchors.length) / 4]!
  }

  commit(): void {
    this.stash.stage(this.journal)
    this.journal.commit()
    this.stash.compact()
  }

  values(): number[] {
    return this.stash.open().map((entry) => this.value(entry))
  }
}

describe('a stash', () => {
  test('T1: a successor finds what was handed off, oldest first, and nothing else', () => {
    const test = new TestStash()
    const trace = TRACED | GAP
    test.put(1, 8, { slot: 3, furtherAnchors: [7, 8], baseLow: 1, baseHigh: 2, first: 4, salt: 5, attempt: 2, trace })
    test.put(2)
    test.commit()
    test.put(3)
    test.revive()
    assert.deepEqual(test.values(), [1, 2])
    const [entry] = test.stash.open()
    assert.deepEqual(test.stash.header(entry!), {
      slot: 3,
      furtherAnchors: [7, 8],
      baseLow: 1,
      baseHigh: 2,
      first: 4,
      salt: 5,
      attempt: 2,
      trace,
    })
  })

  test('T2: what is said of an entry holds from the hand-off on', () => {
    const test = new TestStash()
    const [a, b] = [test.put(1)!, test.put(2)!]
    test.commit()
    test.stash.finish(a, test.journal)
    test.stash.postpone(b, 3, 1234.5, 1000.25, test.journal)
    test.stash.setGroup(b, 9, test.journal)
    test.revive()
    assert.deepEqual(
      test.stash.open().map(({ attempt, dueAt, since, group }) => [attempt, dueAt, since, group]),
      [
        [0, 0, 0, 0],
        [0, 0, 0, 0],
      ],
    )
    const [a2, b2] = test.stash.open() as [StashEntry, StashEntry]
    test.stash.finish(a2, test.journal)
    test.stash.postpone(b2, 3, 1234.5, 1000.25, test.journal)
    test.stash.setGroup(b2, 9, test.journal)
    test.commit()
    test.revive()
    const [left] = test.stash.open()
    assert.deepEqual([left!.attempt, left!.dueAt, left!.since, left!.group], [3, 1234.5, 1000.25, 9])
    assert.deepEqual(test.values(), [2])
  })

  test('entries that were put can be taken back before the hand-off', () => {
    const test = new TestStash()
    test.put(1)
    test.commit()
    const entries = [test.put(2)!, test.put(3)!]
    test.stash.takeBack(entries)
    test.put(4)
    test.commit()
    test.revive()
    assert.deepEqual(test.values(), [1, 4])
  })

  test('an old entry does not keep the room of those behind it that have ended', () => {
    const test = new TestStash()
    test.put(0)
    test.commit()
    for (let i = 1; i < 500; i++) {
      const entry = test.put(i)
      assert.ok(entry !== undefined, `no room for entry ${i}`)
      test.commit()
      test.stash.finish(entry, test.journal)
      test.commit()
    }
    assert.deepEqual(test.values(), [0])
  })

  test('T1: whatever is put, ended and handed off, and whenever the worker dies, the open entries are right', () => {
    const action = fc.oneof(
      fc.record({ put: fc.integer({ min: 8, max: 400 }) }),
      fc.record({ finish: fc.nat(20) }),
      fc.constant({ commit: true }),
      fc.constant({ die: true }),
    )
    fc.assert(
      fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
        const test = new TestStash()
        let committed = new Set<number>()
        let open = new Map<number, StashEntry>()
        let next = 1
        for (const action of actions) {
          if ('put' in action) {
            const entry = test.put(next, action.put & -8)
            if (entry !== undefined) open.set(next++, entry)
          } else if ('finish' in action) {
            const chosen = [...open.keys()].filter((value) => committed.has(value))[action.finish]
            if (chosen === undefined || test.journal.room < 8) continue
            test.stash.finish(open.get(chosen)!, test.journal)
            open.delete(chosen)
          } else if ('commit' in action) {
            test.commit()
            committed = new Set(open.keys())
            assert.deepEqual(test.values(), [...committed])
          } else {
            test.revive()
            assert.deepEqual(
              test.values(),
              [...committed].sort((a, b) => a - b),
            )
            open = new Map(test.stash.open().map((entry) => [test.value(entry), entry]))
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  test('is unused only while no life of its worker can find an entry: then the table of its codec may start anew', () => {
    const test = new TestStash()
    assert.ok(test.stash.isUnused)
    const entry = test.put(1)!
    assert.ok(!test.stash.isUnused, 'an entry that no hand-off has told of')
    test.commit()
    assert.ok(!test.stash.isUnused)
    test.stash.finish(entry, test.journal)
    assert.ok(!test.stash.isUnused, 'after a death now, a successor finds the entry open')
    test.commit()
    assert.ok(test.stash.isUnused)
  })
})
