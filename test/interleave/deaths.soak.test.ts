/** What takes the checker minutes. The deaths of whole workers, in random pipelines, are the net's in each run. */
import { type NamedDrive, driveAll, workerDeaths, writerDeaths } from './drives.ts'
import { onResize, onWorkers, withDeaths } from './programs.ts'

const resizeDeaths = ['writer', 'worker that loses it', 'worker that gains it'].map((name, thread): NamedDrive => {
  const deathsOf = (deaths: readonly number[]): (readonly number[])[] =>
    [0, 1, 2].map((each) => (each === thread ? deaths : []))
  const drive = withDeaths((deaths) => onResize({ records: 2, deaths: deathsOf(deaths) }, { preemptions: 0 }), thread)
  return [`a key that moves, the ${name} dies after each of its stores: no preemption`, drive]
})

driveAll([
  ['a writer that dies after each of its stores, two records: 3 preemptions', writerDeaths(2)],
  ['a whole source and a whole sink, one record: 3 preemptions', onWorkers({ records: 1 }, { preemptions: 3 })],
  ['a whole source that dies after each of its stores: 1 preemption', workerDeaths(0, false, 1)],
  ['a whole sink that dies after each of its stores: 1 preemption', workerDeaths(1, false, 1)],
  ['a whole transform that dies after each of its stores: no preemption', workerDeaths(1, true, 0)],
  ['a key that moves at any time, two records: 1 preemption', onResize({ records: 2 }, { preemptions: 1 })],
  ...resizeDeaths,
])
