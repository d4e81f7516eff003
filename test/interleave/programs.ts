import assert from 'node:assert/strict'
import { dataflow } from 'millrace'
import { plan } from '#src/plan/plan.js'
import { type AcksSizes, acksProgram } from './acks-program.ts'
import { type Bounds, type Report, explore } from './explore.ts'
import { type LaneSizes, laneProgram } from './lane-program.ts'
import { loadProgram } from './load.ts'
import type * as acks from './programs/acks.ts'
import type * as lane from './programs/lane.ts'
import type * as resize from './programs/resize.ts'
import type * as trace from './programs/trace.ts'
import type * as workers from './programs/workers.ts'
import { type ResizeSizes, resizeProgram } from './resize-program.ts'
import { type TraceSizes, traceProgram } from './trace-program.ts'
import { workersProgram } from './workers-program.ts'

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

export const onTrace =
  (sizes: TraceSizes, bounds: Bounds = {}): Drive =>
  async (mutation) =>
    explore(traceProgram(await loadProgram<typeof trace>('trace', mutation), sizes), bounds)

export const onResize =
  (sizes: ResizeSizes, bounds: Bounds = {}): Drive =>
  async (mutation) =>
    explore(resizeProgram(await loadProgram<typeof resize>('resize', mutation), sizes), bounds)

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

export interface Pipeline {
  readonly records: number
  /** A transform stands between source and sink. */
  readonly hasTransform?: boolean
  /** Which worker dies, in the order of the graph, and after how many stores. */
  readonly dies?: number
  readonly deaths?: readonly number[]
}

const SMALL = { codec: 'json', maxDemand: 2, laneBytes: 1024 } as const

/** A source, perhaps a transform, and a sink: whole workers with the loop and the stages that ship. */
export const onWorkers =
  ({ records, hasTransform = false, ...death }: Pipeline, bounds: Bounds): Drive =>
  async (mutation) => {
    const code = await loadProgram<typeof workers>('workers', mutation)
    const made = Array.from({ length: records }, (_, i) => i)
    const arrived: number[] = []
    const ends = dataflow('stepped', import.meta.url)
      .source('source', { produce: () => made, window: 2, chunk: 1 })
      .transform('transform', { map: (n: number) => n })
      .sink('sink', { write: (n: number) => void arrived.push(n) })
    const graph = hasTransform
      ? ends.connect('source', 'transform', SMALL).connect('transform', 'sink', SMALL)
      : dataflow('stepped', import.meta.url)
          .source('source', { produce: () => made, window: 2, chunk: 1 })
          .sink('sink', { write: (n: number) => void arrived.push(n) })
          .connect('source', 'sink', SMALL)
    const isSinkMortal = death.dies === (hasTransform ? 2 : 1)
    const given = {
      plan: plan(graph, { stashBytes: 1024, inject: false }),
      graph,
      ...death,
      begin: () => void (arrived.length = 0),
      // What a sink has done may happen again when it dies; what is handed to it is handed once.
      check: () => assert.deepEqual(isSinkMortal ? [...new Set(arrived)] : arrived, made),
    }
    return explore(workersProgram(code, given), bounds)
  }
