/** What takes the checker ten seconds and more. The deaths of whole workers, in random pipelines, are the net's in each run. */
import { driveAll, workerDeaths, writerDeaths } from './drives.ts'
import { onWorkers } from './programs.ts'

driveAll([
  ['a writer that dies after each of its stores, two records: 3 preemptions', writerDeaths(2)],
  ['a whole source and a whole sink, one record: 3 preemptions', onWorkers({ records: 1 }, { preemptions: 3 })],
  ['a whole source that dies after each of its stores: 1 preemption', workerDeaths(0, false, 1)],
  ['a whole sink that dies after each of its stores: 1 preemption', workerDeaths(1, false, 1)],
  ['a whole transform that dies after each of its stores: no preemption', workerDeaths(1, true, 0)],
])
