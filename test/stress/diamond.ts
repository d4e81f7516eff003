/**
 * A diamond under stress: one source, two stages of two workers, a merge, a sink. Everything random comes of STRESS_SEED, so
 * that all threads plan the same. The sinks keep account of every record and write it to a file when they leave.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dataflow } from 'millrace'

const { STRESS_RECORDS = '100000', STRESS_SEED = '1', STRESS_FOLDER = '.' } = process.env

const RECORDS = Number(STRESS_RECORDS)
const random = randomOf(Number(STRESS_SEED))

/** A whole number from `least` to `most`. */
function between(least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1))
}

/** Mulberry32: small, and the same everywhere. */
export function randomOf(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

export const isDead = (n: number): boolean => n % 5_003 === 0
export const isFiltered = (n: number): boolean => !isDead(n) && n % 97 === 0
/** Which side of the diamond a record takes: neither by turns nor by halves. */
export const sideOf = (n: number): 'left' | 'right' => (Math.imul(n, 0x9e3779b1) >>> 30 === 0 ? 'right' : 'left')

/** What a sink has seen: every record once, or which were seen again. */
export interface Account {
  readonly seen: number
  readonly again: number
  /** Sum of all that were seen, so that no other number can stand for a missing one. */
  readonly sum: number
}

const tally = {
  setup: () => ({ bits: new Uint8Array(Math.ceil(RECORDS / 8)), seen: 0, again: 0, sum: 0 }),
  teardown({ seen, again, sum }: Account, { node }: { node: string }) {
    writeFileSync(join(STRESS_FOLDER, `${node}.json`), JSON.stringify({ seen, again, sum } satisfies Account))
  },
}
type Tally = ReturnType<(typeof tally)['setup']>

function count(state: Tally, n: number): void {
  const bit = 1 << (n & 7)
  if ((state.bits[n >> 3]! & bit) !== 0) state.again++
  state.bits[n >> 3]! |= bit
  state.seen++
  state.sum += n
}

/** Now and then a stage is slow. */
function dawdle(chance: number, ms: number): void {
  if (Math.random() >= chance) return
  for (const start = performance.now(); performance.now() - start < ms;);
}

let next = 0
const tiny = (): object => ({ maxDemand: between(3, 200), laneBytes: 2 ** between(10, 13) })

export const diamond = dataflow('diamond', import.meta.url)
  .source('numbers', {
    window: between(500, 5_000),
    chunk: between(1, 64),
    poll: (demand) => {
      if (next === RECORDS) return null
      const size = Math.min(1 + Math.floor(Math.random() * demand), RECORDS - next)
      return Array.from({ length: size }, () => next++)
    },
  })
  .conditional('side', { route: sideOf })
  .transform('left', {
    concurrency: 2,
    batch: { size: between(1, 300), timeoutMs: between(0, 5) },
    mapBatch: (batch: number[], context) => {
      dawdle(0.001, 2)
      for (const n of batch) if (isDead(n)) context.fail(n, new Error('dead'))
      return batch.filter((n) => !isDead(n) && !isFiltered(n))
    },
  })
  .transform('right', {
    concurrency: 2,
    filter: (n: number) => {
      dawdle(0.00001, 5)
      if (isDead(n)) throw new Error('dead')
      return !isFiltered(n)
    },
  })
  .merge('both')
  .sink('out', {
    batch: { size: between(1, 500), timeoutMs: between(0, 5) },
    ...tally,
    write: (records: number[], { state }: { state: Tally }) => {
      for (const n of records) count(state, n)
    },
  })
  .sink('dead', {
    ...tally,
    write: ({ input }: { input: number }, { state }: { state: Tally }) => count(state, input),
  })
  .connect('numbers', 'side')
  .connect('side', 'left', { when: 'left', ...tiny() })
  .connect('side', 'right', { when: 'right', ...tiny() })
  .connect('left', 'both', tiny())
  .connect('right', 'both', tiny())
  .connect('both', 'out', tiny())
  .connect('left', 'dead', { pathType: 'dead_letter', ...tiny() })
  .connect('right', 'dead', { pathType: 'dead_letter', ...tiny() })
