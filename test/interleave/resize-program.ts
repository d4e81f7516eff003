import assert from 'node:assert/strict'
import { WORKER_CONTROL_BYTES } from '#src/memory/control.js'
import { DOORBELL_BYTES } from '#src/memory/doorbell.js'
import { journalBytes } from '#src/memory/journal.js'
import { laneBytes, ringOffset } from '#src/memory/lane.js'
import { LINE_BYTES } from '#src/memory/memory.js'
import { SIZING_BYTES } from '#src/memory/sizing.js'
import type { Program, Start } from './explore.ts'
import type * as resize from './programs/resize.ts'
import type { Tracked } from './tracked.ts'

export interface ResizeSizes {
  readonly records: number
  /** The writer itself resizes the stage after so many records. */
  readonly resizeAfter?: number
  /** By thread: the writer, the worker that loses the key, the one that gains it. */
  readonly deaths?: readonly (readonly number[])[]
}

const ENTRIES = 16
const RING = { shapeBytes: 0, ringBytes: 1024, maxDemand: 8, minDemand: 0 }

/** A key that moves from the one worker of a stage to the second. */
export function resizeProgram(code: typeof resize, { records, resizeAfter, deaths = [] }: ResizeSizes): Program {
  // Word 0 names no word of a journal's.
  let bytes = LINE_BYTES
  const take = (wanted: number): number => {
    const offset = bytes
    bytes += Math.ceil(wanted / LINE_BYTES) * LINE_BYTES
    return offset
  }
  const words = (): resize.ResizePlan['writer'] => ({
    control: take(WORKER_CONTROL_BYTES),
    doorbell: take(DOORBELL_BYTES),
    journal: { offset: take(journalBytes(ENTRIES, 1)), entries: ENTRIES, countersOffset: take(8), counters: 1 },
  })
  let handled: number[] = []
  const plan: resize.ResizePlan = {
    records,
    resizeAfter,
    sizing: take(SIZING_BYTES),
    lanes: [0, 1].map(() => ({ offset: take(laneBytes(RING)), ...RING })),
    writer: words(),
    readers: [words(), words()],
    onHandled(record) {
      // Whoever dies may handle its last record again; but never once the next one was handled.
      assert.ok(record >= (handled.at(-1) ?? 0), `Z1, Z2: ${record} was handled after ${handled.join()}`)
      handled.push(record)
    },
  }
  const mortal = (name: string, thread: number, run: () => void, revive: () => void) => ({
    name,
    run,
    deaths: deaths[thread] ?? [],
    revive,
  })
  const start = (tracked: Tracked): Start => {
    const { raw, memory } = tracked
    handled = []
    for (const lane of plan.lanes) tracked.data(ringOffset(lane), RING.ringBytes)
    return {
      before: () => code.begin(memory, plan),
      threads: [
        mortal(
          'writer',
          0,
          () => code.send(memory, plan),
          () => code.sendAgain(memory, plan),
        ),
        mortal(
          'loser',
          1,
          () => code.handle(memory, plan, 0),
          () => code.handleAgain(memory, plan, 0),
        ),
        mortal(
          'gainer',
          2,
          () => code.handle(memory, plan, 1),
          () => code.handleAgain(memory, plan, 1),
        ),
        ...(resizeAfter === undefined ? [{ name: 'supervisor', run: () => code.resize(memory, plan) }] : []),
      ],
      check() {
        const counts = plan.readers.map(({ journal }) => raw.floats[journal.countersOffset / 8]!)
        assert.equal(counts[0]! + counts[1]!, records, 'every record was handled once')
      },
    }
  }
  return { bytes, threads: resizeAfter === undefined ? 4 : 3, start }
}
