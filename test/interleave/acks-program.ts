import assert from 'node:assert/strict'
import { ackLaneBytes } from '#src/memory/acks.js'
import { DOORBELL_BYTES } from '#src/memory/doorbell.js'
import { journalBytes } from '#src/memory/journal.js'
import { LINE_BYTES } from '#src/memory/memory.js'
import { slotsBytes } from '#src/memory/slots.js'
import type { Program, Start } from './explore.ts'
import type * as acks from './programs/acks.ts'
import type { Tracked } from './tracked.ts'

export interface AcksSizes {
  readonly chunks: number
  /** Entries of the ack lane of the worker that runs. */
  readonly entries?: number
  /** The worker that runs; the other one's entries are there before. */
  readonly worker: number
  readonly sourceDeaths?: readonly number[]
  readonly workerDeaths?: readonly number[]
}

const ENTRIES = 16

/** A source with a slot for each chunk, and two workers whose entries end them. */
export function acksProgram(code: typeof acks, sizes: AcksSizes): Program {
  const { chunks, entries = 1 } = sizes
  const slots = chunks
  let bytes = 0
  const take = (wanted: number): number => {
    const offset = bytes
    bytes += Math.ceil(wanted / LINE_BYTES) * LINE_BYTES
    return offset
  }
  const worker = (counters: number): acks.AcksPlan['source'] => ({
    doorbell: take(DOORBELL_BYTES),
    journal: {
      offset: take(journalBytes(ENTRIES, counters)),
      entries: ENTRIES,
      countersOffset: take(8 * counters),
      counters,
    },
  })
  const plan: acks.AcksPlan = {
    chunks,
    slots: { offset: take(slotsBytes(slots)), slots, source: 0 },
    opened: take(4 + 4 * chunks),
    source: worker(2),
    workers: [0, 1].map((number) => {
      const room = number === sizes.worker ? entries : 2
      return { lane: { offset: take(ackLaneBytes(room)), entries: room }, ...worker(1) }
    }),
  }
  const start = ({ raw, memory }: Tracked): Start => {
    const ended = (): number => raw.floats[plan.source.journal.countersOffset / 8 + 1]!
    const tail = (number: number): number => raw.words[plan.workers[number]!.lane.offset / 4]!
    const head = (number: number): number => raw.words[plan.workers[number]!.lane.offset / 4 + LINE_BYTES / 4]!
    return {
      threads: [
        {
          name: 'source',
          run: () => code.source(memory, plan),
          deaths: sizes.sourceDeaths ?? [],
          revive: () => code.sourceAgain(memory, plan),
        },
        {
          name: 'worker',
          run: () => code.worker(memory, plan, sizes.worker),
          deaths: sizes.workerDeaths ?? [],
          revive: () => code.workerAgain(memory, plan, sizes.worker),
        },
      ],
      before: () => code.before(memory, plan, 1 - sizes.worker),
      always() {
        for (const number of [0, 1]) {
          const used = (tail(number) - head(number)) | 0
          assert.ok(used >= 0 && used <= plan.workers[number]!.lane.entries, `A1: ${used} entries are used`)
          assert.ok(ended() <= tail(number), 'S1: a slot ended before all that came of it was done')
        }
      },
      check() {
        assert.equal(ended(), chunks, 'A3: every chunk ended once')
        for (const number of [0, 1])
          assert.deepEqual([tail(number), head(number)], [chunks, chunks], 'every entry was told and taken once')
        for (let slot = 0; slot < slots; slot++) {
          const [low, high, , count] = raw.words.subarray(plan.slots.offset / 4 + 8 * slot)
          assert.deepEqual([low, high, count], [0, 0, 0], 'every slot is free')
        }
      },
    }
  }
  return { bytes, threads: 2, start }
}
