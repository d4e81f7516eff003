import { driveAll, readerDeaths } from './drives.ts'
import { onAcks, onLane, onResize, onTrace, onWorkers, withDeaths } from './programs.ts'

/** Each half of the table holds two texts, the ring one record. */
const TEXTS = { records: 3, ringBytes: 64, shapeBytes: 32 }
const FEW = { preemptions: 2 }

driveAll([
  ['a ring of two records, one record: all orders', onLane({ records: 1 })],
  ['a ring of one record, two records: 3 preemptions', onLane({ records: 2, ringBytes: 64 }, { preemptions: 3 })],
  ['a ring of two records, two records: all orders', onLane({ records: 2 })],
  ['two records whose positions pass 2^32: all orders', onLane({ records: 2, from: -96 })],
  ['a ring of two records, three records: 3 preemptions', onLane({ records: 3 }, { preemptions: 3 })],
  ['two records in one hand-off: all orders', onLane({ records: 2, perHandoff: 2 })],
  ['credit for one record: 3 preemptions', onLane({ records: 2, ringBytes: 512, maxDemand: 1 }, { preemptions: 3 })],
  [
    'credit for two, asked for below two: 3 preemptions',
    onLane({ records: 3, ringBytes: 512, maxDemand: 2, minDemand: 1 }, { preemptions: 3 }),
  ],
  ['texts of a lane, halves written anew as soon as may be, three records: 2 preemptions', onLane(TEXTS, FEW)],
  [
    'a writer of texts that dies after each of its stores: no preemption',
    withDeaths((writerDeaths) => onLane({ ...TEXTS, writerDeaths }, { preemptions: 0 }), 0),
  ],
  [
    'a reader of texts that dies after each of its stores: no preemption',
    withDeaths((readerDeaths) => onLane({ ...TEXTS, readerDeaths }, { preemptions: 0 }), 1),
  ],
  ['acks of one chunk, the end before the birth: all orders', onAcks({ chunks: 1, worker: 0 })],
  ['acks of one chunk, the birth before the end: all orders', onAcks({ chunks: 1, worker: 1 })],
  ['acks of two chunks, room for one: all orders', onAcks({ chunks: 2, worker: 0 })],
  [
    'a writer that dies after each of its stores, one record: 2 preemptions',
    withDeaths((deaths) => onLane({ records: 1, writerDeaths: deaths }, FEW), 0),
  ],
  ['a reader that dies after each of its stores, one record: all orders', readerDeaths(1)],
  [
    'a source that dies after each of its stores, one chunk: all orders',
    withDeaths((sourceDeaths) => onAcks({ chunks: 1, worker: 0, sourceDeaths }), 0),
  ],
  [
    'a worker with acks that dies after each of its stores, one chunk: all orders',
    withDeaths((workerDeaths) => onAcks({ chunks: 1, worker: 1, workerDeaths }), 1),
  ],
  ['acks of one chunk that failed, and why: all orders', onAcks({ chunks: 1, worker: 0, reasonWords: 8 })],
  [
    'acks of two chunks that failed, room for one reason: 3 preemptions',
    onAcks({ chunks: 2, worker: 1, reasonWords: 8 }, { preemptions: 3 }),
  ],
  [
    'a source that is told why and dies after each of its stores, one chunk: 3 preemptions',
    withDeaths((sourceDeaths) => onAcks({ chunks: 1, worker: 0, reasonWords: 8, sourceDeaths }, { preemptions: 3 }), 0),
  ],
  [
    'a worker that says why and dies after each of its stores, one chunk: 3 preemptions',
    withDeaths((workerDeaths) => onAcks({ chunks: 1, worker: 1, reasonWords: 8, workerDeaths }, { preemptions: 3 }), 1),
  ],
  ['events of one chunk, its end and the tracer: all orders', onTrace({ chunks: 1 })],
  ['events of two chunks, room for one: 1 preemption', onTrace({ chunks: 2, events: 1 }, { preemptions: 1 })],
  [
    'a worker with a trace ring that dies after each of its stores, one chunk: 1 preemption',
    withDeaths((workerDeaths) => onTrace({ chunks: 1, workerDeaths }, { preemptions: 1 }), 0),
  ],
  ['a key that moves between two records: 1 preemption', onResize({ records: 2, resizeAfter: 1 }, { preemptions: 1 })],
  ['a whole source and a whole sink, two records: 1 preemption', onWorkers({ records: 2 }, { preemptions: 1 })],
])
