import assert from 'node:assert/strict'
import { type Fault, FaultyDisk } from './faulty-disk.js'
import { IngressJournal } from '#src/durable/ingress-journal.js'
import type { IngressJournalOptions } from '#src/durable/journal-types.js'
import { Random } from '#src/test-kit/random.js'

export const DIR = '/journal'
/** So small that a workload begins many segments, and empties some. */
const SEGMENT_BYTES = 700

export type Sync = IngressJournalOptions['sync']

export function openOn(disk: FaultyDisk, sync: Sync = 'group'): Promise<IngressJournal> {
  const nodes = ['in', 'other']
  return IngressJournal.open({
    dir: DIR,
    graph: 'g',
    nodes,
    sync,
    syncMs: 1,
    segmentBytes: SEGMENT_BYTES,
    files: disk,
  })
}

/** What a process was told before it ended. */
export class Told {
  readonly values = new Map<number, unknown>()
  readonly accepted = new Set<number>()
  readonly ended = new Set<number>()
  readonly codes = new Map<string, number>()
  /** Cursors by source worker, in the order in which they were kept. */
  readonly cursors: string[] = []

  reject(error: unknown): void {
    const { code } = error as { code: string }
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1)
  }

  /** What the next process must deliver. */
  get owed(): number[] {
    return [...this.accepted].filter((number) => !this.ended.has(number))
  }
}

/** Pushes, ends and moves cursors at random, until that is done or the journal fails. */
export async function work(journal: IngressJournal, random: Random, told: Told, rounds: number): Promise<void> {
  for (const { number, value } of journal.records) {
    told.values.set(number, value)
    told.accepted.add(number)
  }
  for (let round = 0; round < rounds; round++) {
    const pushes = Array.from({ length: random.between(1, 6) }, () => pushOne(journal, random, told))
    await Promise.all(pushes)
    for (const number of told.owed) {
      // Every seventh takes very long: its segment would stay.
      if (number % 7 === 3 || random.chance(0.3)) continue
      told.ended.add(number)
      journal.end(number)
    }
    if (random.chance(0.5)) {
      told.cursors.push(String(round))
      const cursor = Buffer.from(String(round))
      journal.moveCursor({ node: 'log', worker: 0, workers: 1, cursor: new Uint8Array(cursor) })
    }
  }
}

function pushOne(journal: IngressJournal, random: Random, told: Told): Promise<void> {
  const value = { text: 'x'.repeat(random.between(0, 90)), n: random.next() }
  return new Promise((resolve) => {
    try {
      const record = { node: random.pick(['in', 'other']), isCall: random.chance(0.2), value }
      const number = journal.push(record, (error) => {
        if (error === undefined) told.accepted.add(number)
        else told.reject(error)
        resolve()
      })
      assert.ok(!told.values.has(number), 'no number comes twice')
      told.values.set(number, value)
    } catch (error) {
      told.reject(error)
      resolve()
    }
  })
}

/** Whatever was accepted and has not ended is there, nothing else is but what was pushed, in its order, with its number. */
export function check(journal: IngressJournal, told: Told, seed: string): void {
  const found = new Map(journal.records.map(({ number, value }) => [number, value]))
  assert.equal(found.size, journal.records.length, `${seed}: each once`)
  const numbers = [...found.keys()]
  assert.deepEqual(
    numbers,
    [...numbers].sort((a, b) => a - b),
    `${seed}: in order`,
  )
  for (const number of told.owed) assert.ok(found.has(number), `${seed}: record ${number} was accepted and is lost`)
  for (const [number, value] of found)
    assert.deepEqual(value, told.values.get(number), `${seed}: record ${number} is what was pushed`)
  for (const { cursor } of journal.cursors)
    assert.ok(told.cursors.includes(Buffer.from(cursor).toString()), `${seed}: the cursor was kept once`)
}

/** Runs a workload on a disk that fails at an operation, and looks at what the next process finds. */
export async function play(seed: number, fault: { at: number; what: Fault } | undefined, sync?: Sync) {
  const random = new Random(seed)
  const disk = new FaultyDisk(() => random.next(), fault)
  const told = new Told()
  try {
    const journal = await openOn(disk, sync)
    await work(journal, random, told, 12)
    if (fault?.what === 'full') {
      disk.makeRoom()
      await work(journal, random, told, 4)
    }
    await journal.close()
  } catch (error) {
    told.reject(error)
  }
  return { disk, told, random }
}
