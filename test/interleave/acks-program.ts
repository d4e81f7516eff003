import assert from 'node:assert/strict'
import { ackLaneBytes } from '#src/memory/acks.js'
import { DOORBELL_BYTES } from '#src/memory/doorbell.js'
import { journalBytes } from '#src/memory/journal.js'
import { LINE_BYTES } from '#src/memory/memory.js'
import { reasonsBytes } from '#src/memory/reasons.js'
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
  /** The worker that runs fails all records, and says why; words of its ring. */
  readonly reasonWords?: number
  readonly sourceDeaths?: readonly number[]
  readonly workerDeaths?: readonly number[]
}

const ENTRIES = 16

/** A source with a slot for each chunk, and two workers whose entries end them. */
export function acksProgram(code: typeof acks, sizes: AcksSizes): Program {
  const { chunks, entries = 1, reasonWords = 0 } = sizes
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
    kept: take(4 * chunks),
    source: worker(3),
    workers: [0, 1].map((number) => {
      const room = number === sizes.worker ? entries : 2
      const isTelling = reasonWords > 0 && number === sizes.worker
      const reasons = isTelling ? { offset: take(reasonsBytes(reasonWords)), words: reasonWords } : undefined
      return { lane: { offset: take(ackLaneBytes(room)), entries: room, reasons }, ...worker(1) }
    }),
  }
  const start = ({ raw, memory }: Tracked): Start => {
    const ended = (): number => raw.floats[plan.source.journal.countersOffset / 8 + 1]!
    const { reasons } = plan.workers[sizes.worker]!.lane
    const told = (): number => raw.floats[plan.source.journal.countersOffset / 8 + 2]!
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
        if (reasons === undefined) return
        const [begun, taken] = [raw.words[reasons.offset / 4]!, raw.words[reasons.offset / 4 + LINE_BYTES / 4]!]
        const used = (begun - taken) | 0
        assert.ok(used >= 0 && used <= reasonWords, `N1: ${used} words of reasons are used`)
      },
      check() {
        assert.equal(ended(), chunks, 'A3: every chunk ended once')
        if (reasons !== undefined) {
          const leftOut = raw.words[reasons.offset / 4 + 1]!
          assert.equal(told() + leftOut, chunks, 'N3: every reason was told once, or left out and counted')
        }
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
