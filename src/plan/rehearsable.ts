import { alone, inMemory } from '../analysis/alone.ts'
import { edgeShares } from '../analysis/flow/shares.ts'
import { resolveNode } from '../graph/resolve.ts'
import type { GraphData, GraphEdge, GraphNode, Handler } from '../graph/types.ts'
import { EDGE_OPTIONS, NODE_OPTIONS, type OptionTable } from '../options/index.ts'
import { refuse } from './refuse.ts'

/** Stands where the worker puts synthetic work (`worker/rehearsal/rehearsal.ts`). */
const SYNTHETIC: Handler = { module: 'millrace:rehearsal', export: 'synthetic' }

/** Credit for each record as it goes: in halves, a slow flow would come in gusts of many seconds. */
const EVERY_RECORD = EDGE_OPTIONS.maxDemand.max

/** A record that is meant to go round again is not counted: the declared ratio says how often. */
const NEVER_GIVEN_UP = 1_000_000

/**
 * The graph that a rehearsal runs. Synthetic work stands in for every handler, and every edge that not all records take says
 * its share, as the analysis assumes it. Edges with a share that a handler could not obey get a branch of their own.
 * Buffers with `via` lie in memory. @throws GRAPH_INVALID with all problems, PART_UNKNOWN
 */
export function rehearsable(given: GraphData, part?: string): GraphData {
  refuse(given)
  const graph = part === undefined ? inMemory(given) : alone(given, part)
  const shares = edgeShares(graph)
  const kinds = new Map(graph.nodes.map(({ id, kind }) => [id, kind]))
  const edges = graph.edges.map((edge, index): GraphEdge => {
    const { selector: _selector, redact: _redact, capture: _capture, ...given } = edge
    const kept = { minDemand: EVERY_RECORD, ...given }
    const { carries, gain, copies } = shares[index]!
    // A handler sends a record once, and all workers get it.
    const ratio = gain / copies
    const canName = ['transform', 'conditional', 'sink'].includes(kinds.get(edge.from)!)
    const isThin = carries === 'branch' || (carries === 'all' && edge.ratio !== undefined && edge.ratio !== 1)
    if (carries === 'failure') return { ...kept, ratio }
    return isThin && canName ? { ...kept, ratio, when: edge.when ?? `(edge ${index})` } : kept
  })
  const retried = new Set(edges.flatMap(({ from, pathType, when }) => (isRetry(pathType, when) ? [from] : [])))
  const nodes = graph.nodes.map((node) => synthetic(node, retried.has(node.id)))
  return { name: graph.name, nodes, edges, clusters: graph.clusters }
}

/** What synthetic work takes the place of, or has no use for. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  ...Object.entries(NODE_OPTIONS as OptionTable).flatMap(([name, { type }]) => (type === 'handler' ? [name] : [])),
  'push',
  'retry',
  'timeoutMs',
])

function isRetry(pathType: GraphEdge['pathType'], when: string | undefined): boolean {
  return pathType === 'retry' && when === undefined
}

/** A node with synthetic work. Time-outs and retries in place are left out: the declared time and ratios hold. */
function synthetic(node: GraphNode, isRetried: boolean): GraphNode {
  const entries = Object.entries(node).filter(([name]) => !LEFT_OUT.has(name))
  const { batch, dispatch, limit } = resolveNode(node)
  // Synthetic records have as many keys as it takes, so that no limit of one is reached.
  const kept = Object.fromEntries(
    limit?.keyed === true ? entries.filter(([name]) => name !== 'rateLimit') : entries,
  ) as unknown as GraphNode
  const keyed = dispatch === 'partition' ? { partitionBy: SYNTHETIC } : {}
  const by = batch?.by === undefined ? {} : { by: SYNTHETIC }
  const again = isRetried ? { retry: { maxAttempts: NEVER_GIVEN_UP, when: SYNTHETIC as never } } : {}
  const inputs = { ...keyed, ...again, ...(batch === undefined ? {} : { batch: { ...weightless(batch), ...by } }) }
  switch (node.kind) {
    case 'source':
      // Records that are counted one by one: a chunk of several seconds would blur slow flows.
      return { ...kept, ...(node.rate === undefined ? {} : { chunk: node.chunk ?? 1 }), poll: SYNTHETIC }
    case 'transform':
      return { ...kept, ...inputs, [transformWork(node)]: SYNTHETIC }
    case 'conditional':
      return { ...kept, route: SYNTHETIC }
    case 'sink':
      return { ...kept, ...inputs, write: SYNTHETIC }
    default:
      return kept
  }
}

/** Synthetic records have no weight, and do not say how many belong together: a batch is full, or has waited long enough. */
function weightless(given: NonNullable<GraphNode['batch']>): object {
  const { weigh: _, weight: __, maxWeight: ___, of: ____, instead: _____, ...batch } = given
  return batch
}

function transformWork(node: GraphNode): 'map' | 'flatMap' | 'mapBatch' {
  const { batch, selectivity } = resolveNode(node)
  if (batch !== undefined) return 'mapBatch'
  return selectivity === 1 ? 'map' : 'flatMap'
}
