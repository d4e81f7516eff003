import type { GraphData } from '../../graph/types.ts'
import type { TraceRange, TraceSource } from '../source.ts'
import { Hands } from './hands.ts'
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

/** Who sends to whom, and how much, the busiest first. A record that a stage took several times has arrived once. */
export async function dependencies(
  source: TraceSource,
  { counts, ...range }: DependencyOptions = {},
): Promise<Dependency[]> {
  const graphs = new Map((await source.runs()).map(({ run, graph }) => [run, graph]))
  const senders = new Map<number, string>()
  const found = new Map<string, Counting>()
  const hands = new Hands()
  for await (const block of source.read(range))
    for (const event of block) {
      const { run, node, inputs, outputs, takenAt, attempt, outcome } = event
      for (const { edge } of outputs) senders.set(edge, node)
      // It is taken again by whoever tries next.
      if (attempt > 0 || outcome === 'died') continue
      for (const input of inputs) {
        const { edge, count, bytes = 0, writtenAt } = input
        if (edge === undefined || !hands.isNew(event, input)) continue
        const key = `${edge} ${node}`
        const counting = found.get(key) ?? { run, to: node, edge, records: 0, frames: 0, bytes: 0, samples: [] }
        found.set(key, counting)
        counting.records += count
        counting.frames++
        counting.bytes += bytes
        if (writtenAt !== undefined) counting.samples.push([takenAt - writtenAt, count])
      }
    }
  const traced = [...found.values()].map(({ run, to, edge, records, frames, bytes, samples }): Dependency => {
    const from = senders.get(edge) ?? graphs.get(run)?.edges[edge]?.from ?? '?'
    const exact = counts?.get(edge)
    const isExact = exact !== undefined
    return { from, to, edge, records: exact ?? records, isExact, frames, bytes, transfer: timesOf(samples) }
  })
  return [...traced, ...untraced(counts, found, graphs.get(range.run ?? ''))].sort(
    (a, b) => b.records - a.records || a.edge - b.edge || (a.to < b.to ? -1 : 1),
  )
}

/** Edges that counters know traffic of, and no event tells of. */
function untraced(
  counts: ReadonlyMap<number, number> | undefined,
  found: ReadonlyMap<string, Counting>,
  graph: GraphData | undefined,
): Dependency[] {
  const known = new Set([...found.values()].map(({ edge }) => edge))
  return [...(counts ?? [])].flatMap(([edge, records]): Dependency[] => {
    const ends = graph?.edges[edge]
    if (ends === undefined || known.has(edge)) return []
    const { from, to } = ends
    return [{ from, to, edge, records, isExact: true, frames: 0, bytes: 0, transfer: timesOf([]) }]
  })
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
