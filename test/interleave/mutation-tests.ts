import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Violation } from './explore.ts'
import type { Mutation } from './mutate.ts'
import { MUTATIONS } from './mutations.ts'
import { type Drive, onAcks, onLane, onResize, onTrace, onWorkers, withDeaths } from './programs.ts'

const FEW = { preemptions: 2 }
const ONE = { preemptions: 1 }
const NONE = { preemptions: 0 }

const HUNT_WORKERS: readonly Drive[] = [
  onWorkers({ records: 2 }, ONE),
  ...[0, 1].map((dies) => withDeaths((deaths) => onWorkers({ records: 1, dies, deaths }, NONE), dies)),
  withDeaths((deaths) => onWorkers({ records: 2, hasTransform: true, dies: 1, deaths }, NONE), 1),
]

/** The same for what concerns the rings of events. */
const HUNT_TRACE: readonly Drive[] = [
  onTrace({ chunks: 1 }, FEW),
  onTrace({ chunks: 2, events: 1 }, FEW),
  withDeaths((workerDeaths) => onTrace({ chunks: 1, workerDeaths }, ONE), 0),
]

const HUNT_RESIZE: readonly Drive[] = [
  onResize({ records: 2, resizeAfter: 1 }, NONE),
  onResize({ records: 2, resizeAfter: 1 }, ONE),
]

/** Programs that are driven until one of them fails, small ones first. */
const HUNT: readonly Drive[] = [
  onLane({ records: 1 }),
  onAcks({ chunks: 1, worker: 0 }),
  onAcks({ chunks: 1, worker: 1 }),
  onAcks({ chunks: 1, worker: 0, entries: 4 }),
  onLane({ records: 2, ringBytes: 64 }, FEW),
  onLane({ records: 3, perHandoff: 2 }, FEW),
  onLane({ records: 2, ringBytes: 512, maxDemand: 1 }, FEW),
  onLane({ records: 4 }, FEW),
  onAcks({ chunks: 2, worker: 0 }, FEW),
  withDeaths((writerDeaths) => onLane({ records: 2, writerDeaths }, ONE), 0),
  withDeaths((readerDeaths) => onLane({ records: 2, readerDeaths }, ONE), 1),
  withDeaths((sourceDeaths) => onAcks({ chunks: 1, worker: 0, sourceDeaths }), 0),
  withDeaths((workerDeaths) => onAcks({ chunks: 1, worker: 1, workerDeaths }, ONE), 1),
  onLane({ records: 3, ringBytes: 512, maxDemand: 2, minDemand: 1 }, FEW),
  onLane({ records: 3, ringBytes: 64, shapeBytes: 32 }, FEW),
  withDeaths((writerDeaths) => onLane({ records: 3, ringBytes: 64, shapeBytes: 32, writerDeaths }, NONE), 0),
]

/** The checker must find each of those. */
export function testMutations(isMeant: (mutation: Mutation) => boolean): void {
  for (const [i, mutation] of MUTATIONS.entries()) {
    const { name, file, isOfResize } = mutation
    if (!isMeant(mutation)) continue
    test(`the checker finds out that ${name}`, async () => {
      for (const drive of isOfResize === true ? HUNT_RESIZE : hunt(file)) {
        try {
          await drive(i + 1)
        } catch (error) {
          if (!isFinding(error)) throw error
          return
        }
      }
      assert.fail('no order of accesses shows it')
    })
  }
}

function hunt(file: string): readonly Drive[] {
  if (file.includes('trace')) return HUNT_TRACE
  return file.startsWith('lane/') ? [...HUNT, ...HUNT_TRACE] : HUNT_WORKERS
}

/** What was found must be a broken promise: not that the mutated code does not run. */
function isFinding(error: unknown): boolean {
  return error instanceof Violation && !(error.cause instanceof TypeError || error.cause instanceof ReferenceError)
}
