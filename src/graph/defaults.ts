import { type Given, NODE_OPTIONS, type OptionTable, type STAGE_DEFAULTS } from '../options/index.ts'
import type { GraphData, GraphNode } from './types.ts'

const TABLE: OptionTable = NODE_OPTIONS

/**
 * A graph whose stages have, where they do not say it themselves, what is given for all. Those that the thread of `run` runs itself
 * (pushed sources, outputs) stay as they are.
 */
export function withStageDefaults(graph: GraphData, defaults: Given<typeof STAGE_DEFAULTS> | undefined): GraphData {
  if (defaults === undefined) return graph
  const isOwn = graph.nodes.some(({ write, map, produce, poll }) => write ?? map ?? produce ?? poll)
  const isLeftOut = ({ kind, push, write }: GraphNode): boolean =>
    push === true || (isOwn && kind === 'sink' && write === undefined)
  return {
    ...graph,
    nodes: graph.nodes.map((node) => {
      if (isLeftOut(node)) return node
      const fitting = Object.entries(defaults).filter(
        ([name]) => TABLE[name]?.kinds?.includes(node.kind) && !isOfSource(name, node),
      )
      return fitting.length === 0 ? node : { ...Object.fromEntries(fitting), ...node }
    }),
  }
}

/** Several workers of a source make all records several times, unless their handler sees to it. */
function isOfSource(name: string, { kind }: GraphNode): boolean {
  return name === 'concurrency' && kind === 'source'
}
