import { resolveEdge } from '../graph/resolve.ts'
import type { GraphData, GraphEdge } from '../graph/types.ts'
import { latency } from './flow/latency.ts'
import type { FlowOptions } from './flow/model.ts'
import { type NamedLimit } from './flow/predict.ts'
import { simulate } from './flow/simulate.ts'

/** One difference between two graphs. */
export interface Difference {
  readonly of: 'node' | 'edge' | 'cluster'
  /** Of an edge: its ends, path and branch, and its number among those that are alike. */
  readonly id: string
  readonly change: 'added' | 'removed' | 'changed'
  /** What changed, and how. Functions are not looked into: of two, nothing is said. */
  readonly option?: string
  readonly before?: unknown
  readonly after?: unknown
}

/** A figure of two graphs. */
export interface BeforeAfter<T> {
  readonly before: T
  readonly after: T
}

/** What changed between two graphs, and what that does to their flow. */
export interface GraphDiff {
  readonly differences: readonly Difference[]
  /** Predicted records per second of all sources together. */
  readonly throughput: BeforeAfter<number>
  readonly bottleneck: BeforeAfter<NamedLimit | undefined>
  /** The slowest critical path to a sink, in ms, retries as often as is to be expected. */
  readonly criticalMs: BeforeAfter<number | undefined>
}

/** What changed from one graph to another, and what that does. @throws GRAPH_INVALID where a figure is no number, or negative */
export function diff(before: GraphData, after: GraphData, options: FlowOptions = {}): GraphDiff {
  const flows = [simulate(before, options), simulate(after, options)] as const
  return {
    differences: [
      ...differences('node', byId(before.nodes), byId(after.nodes)),
      ...differences('edge', byEnds(before.edges), byEnds(after.edges)),
      ...differences('cluster', byId(before.clusters), byId(after.clusters)),
    ],
    throughput: { before: flows[0].throughput, after: flows[1].throughput },
    bottleneck: { before: flows[0].bottleneck, after: flows[1].bottleneck },
    criticalMs: {
      before: latency(before, options).critical?.criticalMs,
      after: latency(after, options).critical?.criticalMs,
    },
  }
}

type Entries = ReadonlyMap<string, object>

function differences(of: Difference['of'], before: Entries, after: Entries): readonly Difference[] {
  const removed = [...before.keys()].filter((id) => !after.has(id))
  return [
    ...removed.map((id) => ({ of, id, change: 'removed' }) as const),
    ...[...after].flatMap(([id, entry]): readonly Difference[] => {
      const old = before.get(id)
      return old === undefined ? [{ of, id, change: 'added' }] : changes(of, id, old, entry)
    }),
  ]
}

function changes(of: Difference['of'], id: string, before: object, after: object): readonly Difference[] {
  const options = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...options].flatMap((option) => {
    const [old, now] = [plain(Reflect.get(before, option)), plain(Reflect.get(after, option))]
    if (JSON.stringify(old) === JSON.stringify(now)) return []
    return [
      {
        of,
        id,
        change: 'changed' as const,
        option,
        ...(old === undefined ? {} : { before: old }),
        ...(now === undefined ? {} : { after: now }),
      },
    ]
  })
}

function plain(value: unknown): unknown {
  return typeof value === 'function' ? 'a function' : value
}

function byId(entries: readonly { readonly id: string }[]): Entries {
  return new Map(entries.map((entry) => [entry.id, entry]))
}

function byEnds(edges: readonly GraphEdge[]): Entries {
  const named = new Map<string, GraphEdge>()
  for (const edge of edges) {
    const { from, to, pathType, when } = resolveEdge(edge)
    const name = `${from} → ${to}${pathType === 'normal' ? '' : ` (${pathType})`}${when === undefined ? '' : ` [${when}]`}`
    let id = name
    for (let number = 2; named.has(id); number++) id = `${name} #${number}`
    named.set(id, edge)
  }
  return named
}
