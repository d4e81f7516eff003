import { adjacency } from './adjacency.js'
import { checkDataTypes } from './checks/data-types.js'
import { checkEdges, checkRatios } from './checks/edges.js'
import { checkClusters, checkEntries } from './checks/entries.js'
import { checkFuse } from './checks/fuse.js'
import { checkHandlers } from './checks/handlers.js'
import { checkShape } from './checks/shape.js'
import { problem } from './problems.js'
/**
 * All problems of a graph at once: entries and their options first, then clusters, handlers, edges, ratios, fused edges and
 * the graph as a whole, each in the order of the graph. The same graph gives the same list; an empty list is a sound graph.
 * Never throws, whatever the graph holds. Linear in nodes and edges.
 */
export function validate(graph) {
  const problems = []
  const report = (...finding) => void problems.push(problem(...finding))
  const sound = checkEntries(graph, report)
  const found = adjacency(sound)
  checkClusters(sound, report)
  checkHandlers(sound, report)
  checkEdges(found, report)
  checkRatios(found, report)
  checkFuse(found, report)
  checkDataTypes(found, report)
  checkShape(sound, found, report)
  return problems
}
/**
 * The graph without what is wrong in its entries: what is no object or has no id, and options with a problem. For drawing
 * what can be drawn of any graph.
 */
export function soundEntries(graph) {
  return checkEntries(graph, () => {})
}
