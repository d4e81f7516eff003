import { type AcksSizes, acksProgram } from './acks-program.ts'
import { type Bounds, type Report, explore } from './explore.ts'
import { type LaneSizes, laneProgram } from './lane-program.ts'
import { loadProgram } from './load.ts'
import type * as acks from './programs/acks.ts'
import type * as lane from './programs/lane.ts'

/** What was driven, and how much of it. */
export interface Driven {
  readonly executions: number
  readonly accesses: number
}

/** A program as the checker drives it; with one of the mutations, or none. */
export type Drive = (mutation?: number) => Promise<Driven>

export const onLane =
  (sizes: LaneSizes, bounds: Bounds = {}): Drive =>
  async (mutation) =>
    explore(laneProgram(await loadProgram<typeof lane>('lane', mutation), sizes), bounds)

export const onAcks =
  (sizes: AcksSizes, bounds: Bounds = {}): Drive =>
  async (mutation) =>
    explore(acksProgram(await loadProgram<typeof acks>('acks', mutation), sizes), bounds)

/** A death of one thread after each of its stores, one after the other, until it comes to its end before. */
export const withDeaths =
  (drive: (deaths: readonly number[]) => Drive, thread: number): Drive =>
  async (mutation) => {
    let [executions, accesses] = [0, 0]
    for (let after = 0; ; after++) {
      const report = (await drive([after])(mutation)) as Report
      executions += report.executions
      accesses += report.accesses
      if (!report.died.includes(thread)) return { executions, accesses }
    }
  }
