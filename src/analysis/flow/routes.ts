import type { ResolvedGraph } from '../../graph/resolve.ts'
import type { Components } from '../components.ts'
import { leastRoutes, type RouteCost } from '../least-routes.ts'

/** Times of nodes and edges, in ms, by number. */
export interface RouteTimes {
  node(node: number): number
  edge(edge: number): number
}

/** Time from arriving at `entry` to having left `exit`, two nodes of one loop. */
export type Crossing = (entry: number, exit: number) => number

/** The slowest way to each node. */
export interface SlowestRoutes {
  /** Time from the source until the node is done; -Infinity where no source reaches it. */
  readonly ms: Float64Array
  /** The components on the way, from the source: by which node each is entered and left. */
  path(node: number): readonly Leg[]
}

/** One component on a way. A node that is on no cycle is its own entry and exit. */
export interface Leg {
  readonly entry: number
  readonly exit: number
}

/**
 * The slowest ways from any source, each loop crossed in the time that `crossing` says. One pass over the components in
 * topological order; in a loop, all its entries are tried with all its exits.
 */
export function slowestRoutes(
  graph: ResolvedGraph,
  parts: Components,
  times: RouteTimes,
  crossing: Crossing,
): SlowestRoutes {
  const size = graph.nodes.length
  const arrival = new Float64Array(size).fill(-Infinity)
  const cameFrom = new Int32Array(size).fill(-1)
  const ms = new Float64Array(size).fill(-Infinity)
  const enteredAt = new Int32Array(size).fill(-1)
  graph.nodes.forEach(({ kind }, node) => {
    if (kind === 'source') arrival[node] = 0
  })
  parts.members.forEach((members, index) => {
    const entries = members.filter((node) => arrival[node] !== -Infinity)
    for (const exit of members) {
      for (const entry of entries) {
        const done = arrival[entry]! + (parts.isLoop(index) ? crossing(entry, exit) : times.node(entry))
        if (done > ms[exit]!) {
          ms[exit] = done
          enteredAt[exit] = entry
        }
      }
      for (const edge of graph.out(exit)) {
        const to = graph.to(edge)
        if (parts.of(to) === index || ms[exit]! + times.edge(edge) <= arrival[to]!) continue
        arrival[to] = ms[exit]! + times.edge(edge)
        cameFrom[to] = exit
      }
    }
  })
  const path = (node: number): readonly Leg[] => {
    const legs: Leg[] = []
    for (let exit = node; exit !== -1;) {
      const entry = enteredAt[exit] ?? -1
      if (entry === -1) break
      legs.push({ entry, exit })
      exit = cameFrom[entry] ?? -1
    }
    return legs.reverse()
  }
  return { ms, path }
}

/** The fastest ways from some nodes. */
export interface FastestRoutes {
  /** Time from arriving at the start until the node is done; Infinity where there is no way. */
  ms(node: number): number
  /** Nodes of the way, both ends included. */
  path(node: number): readonly number[]
}

/** The fastest ways from `start`, over nodes of `within` only where it is given. */
export function fastestRoutes(
  graph: ResolvedGraph,
  start: readonly number[],
  times: RouteTimes,
  within?: ReadonlySet<number>,
): FastestRoutes {
  const found = leastRoutes(graph, start, routeTime(graph, times), { within })
  return { ms: (node) => found.cost(node), path: (node) => found.nodes(node) }
}

/** The time of a way: of all its nodes, both ends included, and of its edges. */
export function routeTime(graph: ResolvedGraph, times: RouteTimes): RouteCost {
  return {
    start: (node) => times.node(node),
    next: (ms, edge) => ms + times.edge(edge) + times.node(graph.to(edge)),
  }
}
