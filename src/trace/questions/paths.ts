import type { PathPercentiles } from '../../analysis/live/path-percentiles.ts'
import type { TraceEvent } from '../event.ts'
import { eventsOf, type TraceRange, type TraceSource } from '../source.ts'
import { countOf } from './origins.ts'
import { Senders } from './senders.ts'
import { type Times, timesOf } from './times.ts'

/** How long records really were on one way, from their source's hand-off to the end of the last stage. */
export interface PathTimes {
  /** Nodes from the source on; what is tried again stands there once. */
  readonly nodes: readonly string[]
  readonly times: Times
  /** What the time went into: shares from 0 to 1. */
  readonly waiting: number
  readonly service: number
  readonly other: number
  /** What was predicted for the same way, where predictions were given. */
  readonly predicted?: PathPercentiles
}

export interface PathOptions extends TraceRange {
  /** As `pathPercentiles` of `millrace/analysis` makes them. */
  readonly predicted?: readonly PathPercentiles[] | undefined
}

/** Percentiles by way, the slowest 99th first. Of a batch or join, the way is that of what came to it last. */
export async function paths(source: TraceSource, { predicted = [], ...range }: PathOptions = {}): Promise<PathTimes[]> {
  const events = await eventsOf(source, range)
  const senders = new Senders(events)
  const found = new Map<string, Counting>()
  for (const event of events) {
    if (event.inputs.length === 0 || event.outputs.length > 0 || event.outcome !== 'ok') continue
    const way = wayTo(event, senders)
    if (way === undefined) continue
    const nodes = way.map(({ node }) => node)
    const key = JSON.stringify(nodes)
    const counting = found.get(key) ?? { nodes, samples: [], waiting: 0, service: 0, total: 0 }
    found.set(key, counting)
    const records = countOf(event.inputs)
    const ms = event.handedOffAt - way[0]!.handedOffAt
    counting.samples.push([ms, records])
    counting.total += ms
    for (const [i, hop] of way.slice(1).entries()) {
      counting.waiting += Math.max(0, hop.takenAt - way[i]!.handedOffAt)
      counting.service += hop.serviceMs
    }
  }
  return [...found.values()]
    .map((counting) => pathOf(counting, predicted))
    .sort((a, b) => b.times.p99Ms - a.times.p99Ms)
}

interface Counting {
  readonly nodes: readonly string[]
  readonly samples: (readonly [ms: number, records: number])[]
  waiting: number
  service: number
  total: number
}

/** From the source to an event; `undefined` where a hop is missing, or the way is a loop without a beginning. */
function wayTo(event: TraceEvent, senders: Senders): TraceEvent[] | undefined {
  const way = [event]
  const seen = new Set(way)
  for (let at = event; at.inputs.length > 0;) {
    const parents = [...senders.of(at)].filter((parent) => !seen.has(parent))
    const last = parents.sort((a, b) => b.handedOffAt - a.handedOffAt)[0]
    if (last === undefined) return undefined
    seen.add(last)
    way.unshift(last)
    at = last
  }
  return way
}

function pathOf(
  { nodes, samples, waiting, service, total }: Counting,
  predictions: readonly PathPercentiles[],
): PathTimes {
  const predicted = predictions.find(
    (each) => each.nodes.filter((node) => nodes.includes(node)).join('\n') === nodes.join('\n'),
  )
  const share = (ms: number): number => (total === 0 ? 0 : Math.min(1, ms / total))
  return {
    nodes,
    times: timesOf(samples),
    waiting: share(waiting),
    service: share(service),
    other: Math.max(0, 1 - share(waiting) - share(service)),
    ...(predicted === undefined ? {} : { predicted }),
  }
}
