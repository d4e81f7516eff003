import { test } from 'node:test'
import { type Drive, onLane, onWorkers, withDeaths } from './programs.ts'

/** What is driven, and how far: without a bound all orders, otherwise all with so many switches away from a thread that could go on. */
export type NamedDrive = readonly [name: string, drive: Drive]

const bound = (records: number): { preemptions?: number } => (records === 1 ? {} : { preemptions: 3 })

export const writerDeaths = (records: number): Drive =>
  withDeaths((deaths) => onLane({ records, writerDeaths: deaths }, bound(records)), 0)

export const readerDeaths = (records: number): Drive =>
  withDeaths((deaths) => onLane({ records, readerDeaths: deaths }, bound(records)), 1)

/** @param dies the place of the worker that dies, from the source on */
export const workerDeaths = (dies: number, hasTransform: boolean, preemptions: number): Drive =>
  withDeaths((deaths) => onWorkers({ records: 1, hasTransform, dies, deaths }, { preemptions }), dies)

/** A test of each. */
export function driveAll(drives: readonly NamedDrive[]): void {
  for (const [name, drive] of drives) {
    test(`${name}: nothing is lost, doubled, read too soon or waited for in vain`, async (t) => {
      const { executions, accesses } = await drive()
      t.diagnostic(`${executions} executions, ${accesses} accesses`)
    })
  }
}
