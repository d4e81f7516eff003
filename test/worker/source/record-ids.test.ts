import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { dataflow, mark } from 'millrace'
import type { Marked } from '#src/plan/definition.js'
import { formatId, mix, mixed } from '#src/lane/ids.js'
import { Journal } from '#src/lane/journal.js'
import { viewMemory } from '#src/memory/memory.js'
import { RUN_LOW } from '#src/memory/control.js'
import { plan as makePlan } from '#src/plan/plan.js'
import { Progress } from '#src/worker/source/progress.js'
import { RecordIds } from '#src/worker/source/record-ids.js'
import { Taken } from '#src/worker/source/supply.js'

const graph = dataflow('ids', import.meta.url)
  .source('in', { concurrency: 2, produce: () => [1] })
  .sink('out', { write: () => undefined })
  .connect('in', 'out')
const plan = makePlan(graph)

/** The source workers of one run, which may die and be followed. */
class Run {
  readonly #memory = viewMemory(new SharedArrayBuffer(plan.memoryBytes))
  /** Records of each chunk. */
  readonly chunks: number[] = []
  readonly #worker: (typeof plan.workers)[number]
  #progress!: Progress
  #ids!: RecordIds

  constructor(run: number, worker = 0) {
    this.#memory.words[plan.control.offset / 4 + RUN_LOW] = run
    this.#worker = plan.workers[worker]!
    this.revive()
  }

  revive(): void {
    this.#progress = new Progress(this.#memory, this.#worker.progress!)
    this.#ids = new RecordIds(this.#memory, plan, this.#worker, this.#progress)
  }

  /** Hands records on, as many at once as is said, and gives their ids. */
  ids(records: readonly unknown[], cuts: readonly number[]): string[] {
    const found: string[] = []
    const taken = new Taken()
    let next = 0
    for (let turn = 0; next < records.length || taken.count > 0; turn++) {
      const most = cuts[turn % cuts.length]!
      while (taken.count < most && next < records.length) taken.add(records[next++])
      const count = this.#ids.name(taken)
      this.chunks.push(count)
      for (let i = 0; i < count; i++) {
        mix(this.#ids.baseLow, this.#ids.baseHigh, (this.#ids.first + i) | 0)
        found.push(formatId(mixed.low, mixed.high))
      }
      this.#handOn(taken, count)
    }
    return found
  }

  #handOn(taken: Taken, count: number): void {
    const cursors = Array.from({ length: count }, (_, i) => taken.marks[i]?.cursor)
    const last = cursors.findLastIndex((cursor) => cursor !== undefined)
    if (last >= 0) this.#progress.cursor = cursors[last]
    this.#progress.emitted += count
    this.#ids.advance()
    taken.drop(count)
    const journal = new Journal(this.#memory, this.#worker.journal)
    this.#progress.stage(journal)
    journal.commit()
  }
}

const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 })
const cursor = fc.oneof(
  fc.constant(undefined),
  fc.nat({ max: 50 }).map((n) => n),
  fc.nat({ max: 50 }).map((n) => `page ${n}`),
  fc.nat({ max: 50 }).map((n) => ({ file: 'a.csv', line: n })),
  fc.constant(2 ** 32 - 1),
  fc.constant(2 ** 32),
)
/** Cursors that a source comes to once, as it is to be; each may be said of several records in a row. */
const records = fc.array(fc.tuple(cursor, fc.integer({ min: 1, max: 3 })), { maxLength: 40 }).map((given) => {
  const seen = new Set<string>()
  const once = given.filter(
    ([each]) => each === undefined || (!seen.has(JSON.stringify(each)) && seen.add(JSON.stringify(each))),
  )
  return once.flatMap(([each, times]) =>
    Array.from({ length: times }, (): Marked<string> | string =>
      each === undefined ? 'x' : mark('x', { cursor: each }),
    ),
  )
})

describe('the ids of a source', () => {
  test('I1: no two records of a run share one', () => {
    fc.assert(
      fc.property(records, cuts, (given, cut) => {
        const ids = new Run(1).ids(given, cut)
        assert.equal(new Set(ids).size, ids.length)
      }),
    )
  })

  test('are the same however the records are cut into chunks', () => {
    fc.assert(
      fc.property(records, cuts, cuts, (given, one, other) => {
        assert.deepEqual(new Run(1).ids(given, one), new Run(1).ids(given, other))
      }),
    )
  })

  test('are the same where a successor makes them', () => {
    fc.assert(
      fc.property(records, fc.nat({ max: 40 }), cuts, (given, at, cut) => {
        const run = new Run(1)
        const before = run.ids(given.slice(0, at), cut)
        run.revive()
        assert.deepEqual([...before, ...run.ids(given.slice(at), cut)], new Run(1).ids(given, cut))
      }),
    )
  })

  test('of records that a cursor names are the same in every run, also in one that begins behind some of them', () => {
    fc.assert(
      fc.property(records, fc.nat({ max: 40 }), cuts, (given, at, cut) => {
        const first = new Run(1).ids(given, cut)
        // The next run goes on with the first record of a cursor.
        const start = given.findIndex(
          (each, i) => i >= at && typeof each === 'object' && JSON.stringify(each) !== JSON.stringify(given[i - 1]),
        )
        if (start < 0) return
        assert.deepEqual(new Run(2).ids(given.slice(start), cut), first.slice(start))
      }),
    )
  })

  test('of records that no cursor names are of no other run, and of no other worker', () => {
    const given = Array.from({ length: 20_000 }, () => 'x')
    const runs = [new Run(1), new Run(2), new Run(3), new Run(1, 1)].map((run) => run.ids(given, [512, 3, 100]))
    assert.equal(new Set(runs.flat()).size, 4 * given.length)
  })

  test('of cursors that are whole numbers follow each other, so that their records travel together', () => {
    const run = new Run(1)
    const ids = run.ids(
      Array.from({ length: 100 }, (_, i) => mark('x', { cursor: 1_000 + i })),
      [50],
    )
    assert.deepEqual(run.chunks, [50, 50])
    assert.equal(new Set(ids).size, 100)
  })
})
