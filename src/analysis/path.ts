import type { ResolvedGraph } from '../graph/resolve.ts'
import type { GraphData } from '../graph/types.ts'
import { routeTime } from './flow/routes.ts'
import { rateAt, serviceOf, servicesOf } from './flow/service.ts'
import { sharesOf } from './flow/shares.ts'
import { leastRoutes, type LeastRoutes, type RouteCost } from './least-routes.ts'
import { resolved } from './resolved.ts'
import { known } from './structure.ts'
import type { EdgeFilter } from './types.ts'

/** What the best of all ways is the best in. */
export const PATH_MEASURES = ['hops', 'latency', 'throughput', 'risk', 'weight'] as const
/** One of them. */
export type PathMeasure = (typeof PATH_MEASURES)[number]

/** What `path` looks with. */
export interface PathOptions extends EdgeFilter {
  /** Default: `hops`. */
  readonly by?: PathMeasure
}

/** The best way from one node to another. */
export interface Path {
  /** From the first node to the last, both included. */
  readonly nodes: readonly string[]
  /** Indices into `graph.edges`: `edges[i]` leads from `nodes[i]` to `nodes[i + 1]`. */
  readonly edges: readonly number[]
  readonly by: PathMeasure
  /**
   * `hops`: edges on the way, the fewest. `latency`: ms in service at its nodes, both ends included, and the weights of its
   * edges, the least. `weight`: ms that its edges add, the least. `throughput`: records per second, the lowest service rate
   * (of a source, its rate limit too) on the widest way, each stage's in its own records; Infinity where nothing limits it.
   * `risk`: the share of the records, 0 to 1, that its nodes are declared to give up, the least.
   */
  readonly figure: number
}

/**
 * The best way between two nodes; `undefined` where none leads there. Of equally good ways the one with the fewest edges.
 * From a node to itself it is that node alone. `risk` takes no edge that carries what was given up (error and dead-letter
 * edges out of stages and conditionals). Cost: O(edges × log edges). @throws NODE_UNKNOWN
 */
export function path(
  graph: GraphData,
  from: string,
  to: string,
  { by = 'hops', paths }: PathOptions = {},
): Path | undefined {
  const found = resolved(graph, paths === undefined ? {} : { paths })
  const [start, target] = [known(found, from), known(found, to)]
  const { cost, figureOf = (least) => least } = MEASURES[by](found)
  const best = leastRoutes(found, [start], cost, { target })
  if (!best.has(target)) return undefined
  const least = best.cost(target)
  // A way may be wide at first and narrow later, so the shortest of the widest is known only once the width is.
  const way = by === 'throughput' ? shortestAtMost(found, start, least, cost) : best
  return {
    nodes: way.nodes(target).map((node) => found.id(node)),
    edges: way.edges(target),
    by,
    figure: figureOf(least),
  }
}

interface Measure {
  readonly cost: RouteCost
  readonly figureOf?: (cost: number) => number
}

const MEASURES: Readonly<Record<PathMeasure, (graph: ResolvedGraph) => Measure>> = {
  hops: () => ({ cost: HOPS }),
  latency: (graph) => ({
    cost: routeTime(graph, { node: (node) => serviceOf(graph.node(node)).serviceMs, edge: weightIn(graph) }),
  }),
  weight: (graph) => ({ cost: routeTime(graph, { node: () => 0, edge: weightIn(graph) }) }),
  throughput: (graph) => {
    const services = servicesOf(graph, sharesOf(graph))
    const rateOf = (node: number): number => Math.min(rateAt(services, node), graph.node(node).rateLimit ?? Infinity)
    return {
      cost: { start: (node) => -rateOf(node), next: (cost, edge) => Math.max(cost, -rateOf(graph.to(edge))) },
      figureOf: (cost) => -cost,
    }
  },
  risk: riskMeasure,
}

const HOPS: RouteCost = { start: () => 0, next: (hops) => hops + 1 }

function weightIn(graph: ResolvedGraph): (edge: number) => number {
  return (edge) => graph.edge(edge).weight
}

/** What is left of the records shrinks by a factor at each node; its logarithm is a sum, as ways need it. */
function riskMeasure(graph: ResolvedGraph): Measure {
  const shares = sharesOf(graph)
  const givesUp = (edge: number): boolean =>
    shares[edge]?.carries === 'failure' && graph.edge(edge).pathType !== 'retry'
  const cost = (node: number): number => {
    const gone = graph.out(node).reduce((most, edge) => {
      return givesUp(edge) ? Math.max(most, shares[edge]!.gain / shares[edge]!.copies) : most
    }, 0)
    return -Math.log1p(-Math.min(1, gone))
  }
  return {
    cost: { start: cost, next: (sum, edge) => (givesUp(edge) ? undefined : sum + cost(graph.to(edge))) },
    figureOf: (sum) => -Math.expm1(-sum),
  }
}

function shortestAtMost(graph: ResolvedGraph, start: number, most: number, cost: RouteCost): LeastRoutes {
  const within = new Set(graph.nodes.flatMap((_, node) => (cost.start(node) <= most ? [node] : [])))
  return leastRoutes(graph, [start], HOPS, { within })
}
