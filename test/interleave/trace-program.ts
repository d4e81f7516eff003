import assert from 'node:assert/strict'
import { DOORBELL_BYTES } from '#src/memory/doorbell.js'
import { journalBytes } from '#src/memory/journal.js'
import { LINE_BYTES } from '#src/memory/memory.js'
import { DROPPED, HEAD, TAIL, traceBytes } from '#src/memory/trace.js'
import type { Program, Start } from './explore.ts'
import type * as trace from './programs/trace.ts'
import type { Tracked } from './tracked.ts'

export interface TraceSizes {
  readonly chunks: number
  /** Events of the worker's ring; the source's holds all. */
  readonly events?: number
  readonly workerDeaths?: readonly number[]
}

const ENTRIES = 4

/** Two rings and their tracer. */
export function traceProgram(code: typeof trace, { chunks, events = chunks, workerDeaths }: TraceSizes): Program {
  // Word 0 names no word of a journal's.
  let bytes = LINE_BYTES
  const take = (wanted: number): number => {
    const offset = bytes
    bytes += Math.ceil(wanted / LINE_BYTES) * LINE_BYTES
    return offset
  }
  const side = (room: number): trace.TracePlan['worker'] => {
    const sizes = { events: room, sideWords: 2 }
    const journal = { offset: take(journalBytes(ENTRIES, 1)), entries: ENTRIES, countersOffset: take(8), counters: 1 }
    return { journal, trace: { offset: take(traceBytes(sizes)), ...sizes }, doorbell: take(DOORBELL_BYTES) }
  }
  const plan: trace.TracePlan = {
    chunks,
    handed: take(4 + 4 * chunks),
    worker: side(events),
    source: side(4),
    tracer: take(DOORBELL_BYTES),
  }
  const start = ({ raw, memory }: Tracked): Start => {
    const word = (index: number): number => raw.words[plan.worker.trace.offset / 4 + index]!
    return {
      threads: [
        {
          name: 'worker',
          run: () => code.worker(memory, plan),
          deaths: workerDeaths ?? [],
          revive: () => code.workerAgain(memory, plan),
        },
        { name: 'source', run: () => code.source(memory, plan), deaths: [], revive: () => undefined },
        { name: 'tracer', run: () => code.tracer(memory, plan), deaths: [], revive: () => undefined },
      ],
      always() {
        const used = (word(TAIL) - word(HEAD)) | 0
        assert.ok(used >= 0 && used <= events, `X3: ${used} events of ${events}`)
      },
      check() {
        assert.equal(word(TAIL) + word(DROPPED), chunks, 'X4: every event is written or counted')
      },
    }
  }
  return { bytes, threads: 3, start }
}
