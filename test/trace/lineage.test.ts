/** Lineage against the ledger of a model: every record of random graphs, up and down. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatId, mix, mixed } from '#src/lane/ids.js'
import { RecordFinder, idIn } from '#src/trace/questions/record-ids.js'
import { type Lineage, lineage } from '#src/trace/questions/lineage.js'
import { MemoryStore } from '#src/trace/store/memory-store.js'
import { type Entry, type Played, play } from './model.js'

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })

test('the place of a record in a chunk is found from its id alone', () => {
  fc.assert(
    fc.property(
      word,
      word,
      fc.nat(100_000),
      fc.integer({ min: 1, max: 600 }),
      fc.nat(700),
      (low, high, first, count, i) => {
        mix(low, high, first + i)
        const finder = new RecordFinder(formatId(mixed.low, mixed.high))
        const records = { base: formatId(low, high), first, count }
        assert.equal(finder.placeIn(records), i < count ? i : -1)
        assert.equal(new RecordFinder(idIn(records, 0)).placeIn(records), 0)
        assert.equal(new RecordFinder(`${records.base}:${first}`).placeIn(records), 0)
      },
    ),
  )
})

function storeOf({ run, events }: Played): MemoryStore {
  const store = new MemoryStore()
  void store.begin(run)
  store.write(events)
  return store
}

function walk(starts: readonly Entry[], next: (entry: Entry) => readonly Entry[]): Set<Entry> {
  const found = new Set(starts)
  for (const entry of found) for (const other of next(entry)) found.add(other)
  return found
}

const told = ({ record, fate, sequence }: Pick<Entry, 'record' | 'fate' | 'sequence'>): string =>
  fate === 'sent' ? `${record} sent` : `${record} ${fate} ${sequence}`

function compare(found: Lineage, expected: ReadonlySet<Entry>, next: (entry: Entry) => readonly Entry[]): void {
  assert.deepEqual(found.steps.map(told).sort(), [...expected].map(told).sort())
  const links = [...expected].flatMap((entry) =>
    next(entry).map((other) =>
      found.direction === 'up' ? `${told(other)} > ${told(entry)}` : `${told(entry)} > ${told(other)}`,
    ),
  )
  assert.deepEqual(
    found.links.map(([from, to]) => `${told(found.steps[from]!)} > ${told(found.steps[to]!)}`).sort(),
    [...new Set(links)].sort(),
  )
  assert.ok(found.isComplete)
}

test('ancestors and descendants of every record are those of the ledger', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(2), async (seed, unfinished) => {
      const played = play(seed, { unfinished })
      const store = storeOf(played)
      for (const record of new Set(played.ledger.map((entry) => entry.record))) {
        const starts = played.ledger.filter((entry) => entry.record === record)
        const up = await lineage(store, record, { direction: 'up' })
        compare(
          up!,
          walk(starts, ({ parents }) => parents),
          ({ parents }) => parents,
        )
        const down = await lineage(store, record)
        compare(
          down!,
          walk(starts, ({ children }) => children),
          ({ children }) => children,
        )
      }
    }),
    { numRuns: 60 },
  )
})

test('a record that nobody knows has no lineage', async () => {
  assert.equal(await lineage(storeOf(play(1)), '0123456789abcdef'), undefined)
})
