import assert from 'node:assert/strict'
import { DOORBELL_BYTES } from '#src/memory/doorbell.js'
import { GRANTED, HEAD, SENT, TAIL, TAKEN, laneBytes, ringOffset, shapeOffset } from '#src/memory/lane.js'
import { journalBytes } from '#src/memory/journal.js'
import { LINE_BYTES } from '#src/memory/memory.js'
import type { Program, Thread } from './explore.ts'
import type * as lane from './programs/lane.ts'
import type { Tracked } from './tracked.ts'

export interface LaneSizes {
  readonly ringBytes?: number
  readonly maxDemand?: number
  readonly minDemand?: number
  readonly records: number
  /** Bytes of the table of texts: each record names one. */
  readonly shapeBytes?: number
  readonly perHandoff?: number
  /** Where the positions start: they wrap at 2^32. */
  readonly from?: number
  readonly writerDeaths?: readonly number[]
  readonly readerDeaths?: readonly number[]
}

const ENTRIES = 6

/** A writer and a reader on one lane. */
export function laneProgram(code: typeof lane, sizes: LaneSizes): Program {
  const { ringBytes = 128, shapeBytes = 0, maxDemand = 8, minDemand = 0, from = 0, records, perHandoff = 1 } = sizes
  let bytes = 0
  const take = (wanted: number): number =>
    (bytes += Math.ceil(wanted / LINE_BYTES) * LINE_BYTES) - Math.ceil(wanted / LINE_BYTES) * LINE_BYTES
  const lane = { offset: take(laneBytes({ shapeBytes, ringBytes })), shapeBytes, ringBytes, maxDemand, minDemand }
  const worker = (): lane.LanePlan['writer'] => ({
    doorbell: take(DOORBELL_BYTES),
    journal: { offset: take(journalBytes(ENTRIES, 1)), entries: ENTRIES, countersOffset: take(8), counters: 1 },
  })
  const plan = { lane, writer: worker(), reader: worker(), records, perHandoff }
  const start = (tracked: Tracked): ReturnType<Program['start']> => {
    const { raw, memory } = tracked
    const word = lane.offset / 4
    for (const position of [TAIL, HEAD]) tracked.set(word + position, from)
    tracked.data(ringOffset(lane), ringBytes)
    tracked.data(shapeOffset(lane), shapeBytes)
    const of = (position: number): number => raw.words[word + position]!
    const threads: Thread[] = [
      {
        name: 'writer',
        run: () => code.write(memory, plan),
        deaths: sizes.writerDeaths ?? [],
        revive: () => code.writeAgain(memory, plan),
      },
      {
        name: 'reader',
        run: () => code.read(memory, plan),
        deaths: sizes.readerDeaths ?? [],
        revive: () => code.readAgain(memory, plan),
      },
    ]
    return {
      threads,
      always() {
        const used = (of(TAIL) - of(HEAD)) | 0
        assert.ok(used >= 0 && used <= ringBytes, `W1, R1: ${used} bytes of ${ringBytes} are used`)
        assert.ok(((of(SENT) - of(TAKEN)) | 0) >= 0, 'R1: more was taken than sent')
        assert.ok(of(GRANTED) === 0 || ((of(GRANTED) - of(SENT)) | 0) >= 0, 'W3: more was sent than granted')
        assert.ok(((of(GRANTED) - of(TAKEN)) | 0) <= maxDemand, 'R3: more is granted than may be on the lane')
      },
      check() {
        assert.equal(raw.floats[plan.reader.journal.countersOffset / 8], records, 'every record was read once')
        assert.equal(of(TAKEN), records)
        assert.equal(of(SENT), records)
        assert.equal(of(TAIL), of(HEAD))
      },
    }
  }
  return { bytes, threads: 2, start }
}
