import type { GraphData, GraphNode } from '../../graph/types.ts'
import type { DrawOptions } from '../../render/picture.ts'
import { toSvg } from '../../render/svg.ts'
import { durationText } from '../../render/text.ts'
import { dependencies, type Dependency } from '../questions/dependencies.ts'
import type { TraceRange, TraceSource } from '../source.ts'

/**
 * The flow of what was traced: the graph of the run, each edge with its records and the 99th percentile of their time on the lane,
 * and as strong as its share. Of a run whose graph is not known, what its events show of it.
 * @throws SVG_RENDERER_MISSING
 */
export async function flowSvg(source: TraceSource, range: TraceRange = {}, options: DrawOptions = {}): Promise<string> {
  const found = await dependencies(source, range)
  const runs = (await source.runs()).filter(
    ({ run, pipeline }) =>
      (range.run === undefined || run === range.run) && (range.pipeline === undefined || pipeline === range.pipeline),
  )
  const graph = runs.findLast((run) => run.graph !== undefined)?.graph ?? graphOf(found)
  return toSvg(withCounts(graph, found), options)
}

function withCounts(graph: GraphData, found: readonly Dependency[]): GraphData {
  const byEdge = new Map(found.map((dependency) => [dependency.edge, dependency]))
  return {
    ...graph,
    edges: graph.edges.map((edge, index) => {
      const dependency = byEdge.get(index)
      if (dependency === undefined) return edge
      const { records, transfer } = dependency
      const label = `${records.toLocaleString('en')} records · p99 ${durationText(transfer.p99Ms)}`
      return { ...edge, label, rate: records }
    }),
  }
}

/** A graph as events show it: whoever was sent nothing is a source, whoever sent nothing a sink. */
function graphOf(found: readonly Dependency[]): GraphData {
  const ids = [...new Set(found.flatMap(({ from, to }) => [from, to]))]
  const kindOf = (id: string): GraphNode['kind'] => {
    if (found.every(({ to }) => to !== id)) return 'source'
    return found.every(({ from }) => from !== id) ? 'sink' : 'transform'
  }
  const edges: { from: string; to: string }[] = []
  for (const { edge, from, to } of found) edges[edge] = { from, to }
  // Edges that nothing was traced on have numbers too.
  const known = Array.from(edges, (edge) => edge ?? edges.find((each) => each !== undefined)!)
  return { name: 'trace', nodes: ids.map((id) => ({ id, kind: kindOf(id) })), edges: known, clusters: [] }
}
