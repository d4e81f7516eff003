import type { GraphData } from './types.ts'

/** A graph whose `concurrency: 'cores'` is a number: the whole ones of these cores, and one at least. */
export function withCores(graph: GraphData, cores: number): GraphData {
  if (!graph.nodes.some(({ concurrency }) => concurrency === 'cores')) return graph
  const workers = Math.min(MOST, Math.max(1, Math.floor(cores)))
  return {
    ...graph,
    nodes: graph.nodes.map((node) => (node.concurrency === 'cores' ? { ...node, concurrency: workers } : node)),
  }
}

/** The bound of `concurrency`. */
const MOST = 256
