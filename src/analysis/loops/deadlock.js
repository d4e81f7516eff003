import { adjacency } from '../adjacency.js'
import { components } from '../components.js'
import { elementaryCycles } from '../cycles.js'
import { refuseBadFigures } from '../flow/figures.js'
import { sharesOf } from '../flow/shares.js'
import { mostInFlight } from './in-flight.js'
import { DEFAULT_MAX_DEMAND } from './lanes.js'
import { reconvergences } from './reconvergence.js'
import { verdictOf } from './verdict.js'
/**
 * Proves, by credit, which loops cannot block themselves. Workers of a loop wait for each other only when every lane on the
 * way round is full; so a loop is safe where its lanes hold all that can be in it at once, which the windows of the sources
 * bound. Joins take whatever comes first, so paths that meet again never block each other.
 * Cost: O((nodes + edges) × (cycles + 1)). @throws GRAPH_INVALID where a figure is no number, or negative
 */
export function deadlock(graph, options = {}) {
  const { maxDemand = DEFAULT_MAX_DEMAND, maxCycles = 1_000 } = options
  refuseBadFigures(graph)
  const found = adjacency(graph)
  const parts = components(found)
  const { cycles, incomplete } = elementaryCycles(found, maxCycles)
  const most = parts.members.map((_, index) => (parts.isLoop(index) ? mostInFlight(found, parts, index) : 0))
  const inFlight = (edge) => {
    const component = parts.of(found.from(edge))
    return component === parts.of(found.to(edge)) ? (most[component] ?? 0) : 0
  }
  const shares = sharesOf(found)
  const larger = new Map()
  const loops = cycles.map((edges) => {
    return verdictOf(found, edges, { records: inFlight(edges[0] ?? -1), maxDemand, shares, larger })
  })
  if (incomplete) enlargeBackEdges(found, inFlight, larger)
  const met = reconvergences(found)
  const all = [...larger.values()].sort((a, b) => a.edge - b.edge)
  const enlarge = all.filter(({ isSaid }) => isSaid)
  return {
    safe: enlarge.length === 0 && loops.every(({ safe }) => safe) && !(incomplete && most.includes(Infinity)),
    loops,
    reconvergences: met.list,
    sized: all.filter(({ isSaid }) => !isSaid),
    enlarge,
    incomplete: incomplete || met.incomplete,
  }
}
/** Every cycle has an edge that leads back in the order of the graph: each of those holds everything. */
function enlargeBackEdges(graph, inFlight, larger) {
  for (const edge of graph.edges) {
    const records = inFlight(edge)
    if (graph.to(edge) > graph.from(edge) || records === 0 || records === Infinity) continue
    const { maxDemand } = graph.edge(edge)
    const isBuffered = [graph.from(edge), graph.to(edge)].some((node) => graph.node(node).kind === 'buffer')
    if ((maxDemand ?? 0) >= records || (larger.get(edge)?.capacity ?? 0) >= records) continue
    larger.set(edge, { edge, capacity: records, isSaid: maxDemand !== undefined || isBuffered })
  }
}
