import type { TraceRange, TraceSource } from '../source.ts'
import { type Times, timesOf } from './times.ts'

/** Traffic from one stage to another over one edge. */
export interface Dependency {
  readonly from: string
  readonly to: string
  readonly edge: number
  /** Records that arrived: of all traffic where counters were given (`isExact`), else of what was traced. */
  readonly records: number
  readonly isExact: boolean
  /** Of traced traffic: frames, their bytes, time on the lane by record. */
  readonly frames: number
  readonly bytes: number
  readonly transfer: Times
}

export interface DependencyOptions extends TraceRange {
  /** Records that arrived over each edge, by its index, as counters have it for the same window. */
  readonly counts?: ReadonlyMap<number, number> | undefined
}

/** Who sends to whom, and how much, the busiest first. First attempts count: a record arrives once. */
export async function dependencies(
  source: TraceSource,
  { counts, ...range }: DependencyOptions = {},
): Promise<Dependency[]> {
  const graphs = new Map((await source.runs()).map(({ run, graph }) => [run, graph]))
  const senders = new Map<number, string>()
  const found = new Map<string, Counting>()
  for await (const block of source.read(range))
    for (const { run, node, inputs, outputs, takenAt, attempt, epoch } of block) {
      for (const { edge } of outputs) senders.set(edge, node)
      if (attempt > 0 || epoch > 0) continue
      for (const { edge, count, bytes = 0, writtenAt } of inputs) {
        if (edge === undefined) continue
        const key = `${edge} ${node}`
        const counting = found.get(key) ?? { run, to: node, edge, records: 0, frames: 0, bytes: 0, samples: [] }
        found.set(key, counting)
        counting.records += count
        counting.frames++
        counting.bytes += bytes
        if (writtenAt !== undefined) counting.samples.push([takenAt - writtenAt, count])
      }
    }
  return [...found.values()]
    .map(({ run, to, edge, records, frames, bytes, samples }): Dependency => {
      const from = senders.get(edge) ?? graphs.get(run)?.edges[edge]?.from ?? '?'
      const exact = counts?.get(edge)
      return {
        from,
        to,
        edge,
        records: exact ?? records,
        isExact: exact !== undefined,
        frames,
        bytes,
        transfer: timesOf(samples),
      }
    })
    .sort((a, b) => b.records - a.records || a.edge - b.edge || (a.to < b.to ? -1 : 1))
}

interface Counting {
  readonly run: string
  readonly to: string
  readonly edge: number
  records: number
  frames: number
  bytes: number
  readonly samples: (readonly [ms: number, records: number])[]
}
