/** More orders than in `interleave.test.ts` and `deaths.soak.test.ts`: many times as many. */
import { driveAll, readerDeaths, workerDeaths, writerDeaths } from './drives.ts'
import { onLane, onResize, onTrace, onWorkers } from './programs.ts'

driveAll([
  ['a ring of one record, two records: all orders', onLane({ records: 2, ringBytes: 64 })],
  ['credit for one record: all orders', onLane({ records: 2, ringBytes: 512, maxDemand: 1 })],
  ['a writer that dies after each of its stores, one record: all orders', writerDeaths(1)],
  ['events of two chunks, room for one: 2 preemptions', onTrace({ chunks: 2, events: 1 }, { preemptions: 2 })],
  ['a reader that dies after each of its stores, two records: 3 preemptions', readerDeaths(2)],
  ['a key that moves between two records: 2 preemptions', onResize({ records: 2, resizeAfter: 1 }, { preemptions: 2 })],
  ['a whole source and a whole sink, two records: 3 preemptions', onWorkers({ records: 2 }, { preemptions: 3 })],
  ['a whole source that dies after each of its stores: 2 preemptions', workerDeaths(0, false, 2)],
  ['a whole sink that dies after each of its stores: 2 preemptions', workerDeaths(1, false, 2)],
  ['a whole transform that dies after each of its stores: 1 preemption', workerDeaths(1, true, 1)],
])
