import type { GraphData } from '../graph/types.ts'
import { checkDataTypes } from './checks/data-types.ts'
import { checkEdges, checkRatios, checkUnused } from './checks/edges.ts'
import { checkClusters, checkEntries } from './checks/entries.ts'
import { checkFuse } from './checks/fuse.ts'
import { checkHandlers, hasHandlers } from './checks/handlers.ts'
import { isPlain } from './checks/options.ts'
import { checkShape } from './checks/shape.ts'
import { checkVia } from './checks/via.ts'
import { problem, type ReportProblem } from './problems.ts'
import { resolved } from './resolved.ts'
import type { Problem } from './types.ts'

/**
 * All problems of a graph at once: entries and their options first, then clusters, handlers, edges, ratios, fused edges and
 * the graph as a whole, each in the order of the graph. The same graph gives the same list; an empty list is a sound graph.
 * Never throws, whatever the graph holds. Linear in nodes and edges.
 */
export function validate(graph: GraphData): Problem[] {
  const problems: Problem[] = []
  const report: ReportProblem = (...finding) => void problems.push(problem(...finding))
  if (typeof graph !== 'object' || graph === null) {
    report('ENTRY_INVALID', `The graph is ${String(graph)}, not an object.`)
    return problems
  }
  const sound = checkEntries(graph, report)
  const found = resolved(sound)
  checkClusters(sound, report)
  checkHandlers(sound, report)
  checkEdges(found, report)
  checkRatios(found, report)
  checkUnused(found, hasHandlers(sound), report)
  checkFuse(found, report)
  checkDataTypes(found, report)
  checkShape(sound, found, report)
  checkVia(sound, found, report)
  return problems
}

const NO_GRAPH: GraphData = { name: '', nodes: [], edges: [], clusters: [] }

/**
 * The graph without what is wrong in its entries: what is no object or has no id, and options with a problem. For drawing
 * what can be drawn of any graph.
 */
export function soundEntries(graph: GraphData): GraphData {
  return checkEntries(isPlain(graph) ? graph : NO_GRAPH, () => {})
}
