import type { GraphData, GraphNode } from '../graph/types.ts'
import { divide } from './divide.ts'
import { simulate } from './flow/simulate.ts'
import { isHop } from './parts.ts'

/** What a broker's connector does, and why. */
const OF_BROKER: readonly (keyof GraphNode)[] = ['setup', 'write', 'teardown', 'poll', 'ack', 'hop']

function without(node: GraphNode, names: readonly (keyof GraphNode)[]): GraphNode {
  const entries = Object.entries(node).filter(([name]) => !names.includes(name as keyof GraphNode))
  return Object.fromEntries(entries) as unknown as GraphNode
}

/** The graph as if all of its buffers lay in memory. */
export function inMemory(graph: GraphData): GraphData {
  if (!graph.nodes.some(isHop)) return graph
  const nodes = graph.nodes.map((node): GraphNode => (isHop(node) ? without(node, ['via']) : node))
  return { name: graph.name, module: graph.module, nodes, edges: graph.edges, clusters: graph.clusters }
}

/**
 * One part of a graph by itself, for predictions and rehearsals: what it reads is a source with the rate that is predicted for the
 * buffer, what it writes a sink. @throws PART_UNKNOWN, LOOP_TOO_LARGE
 */
export function alone(graph: GraphData, part: string): GraphData {
  const divided = divide(graph, part)
  const offered = new Map(simulate(graph).buffers.map((buffer) => [buffer.node, buffer.in]))
  const nodes = divided.nodes.map((node): GraphNode => {
    const { hop } = node
    if (hop === undefined) return node
    const kept = without(node, OF_BROKER)
    const rate = offered.get(hop.buffer)
    return kept.kind === 'source' && rate !== undefined && Number.isFinite(rate) ? { ...kept, rate } : kept
  })
  return { ...divided, nodes }
}
