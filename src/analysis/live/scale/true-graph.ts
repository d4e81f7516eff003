import { isStage } from '../../../graph/resolve.ts'
import type { GraphData, GraphNode } from '../../../graph/types.ts'
import type { NodeMeasurement } from '../../types.ts'
import { measuredGraph } from '../measured.ts'
import type { ScaleLook } from './look.ts'

/** A source that hardly ever had credit: what it would make is beyond telling, and this many times as much is enough. */
const LEAST_SHARE = 0.01

/**
 * The measured graph with true rates, as the method DS2 has it: what a record costs a worker is the time that the worker did not
 * wait, by its records; what a source would make is what it made, by the time in which nothing held it. So a stage that waits for
 * another one is told from one that has no time left. Stages whose calls do not overlap burn cores (`cpu`).
 */
export function trueGraph(graph: GraphData, { measurements, waiting }: ScaleLook): GraphData {
  const isBurning = ({ id, kind }: GraphNode): boolean => isStage(kind) && !waiting.has(id)
  const nodes = graph.nodes.map((node) => (isBurning(node) ? { ...node, cpu: true } : node))
  const measured = measuredGraph({ ...graph, nodes }, measurements)
  return {
    ...measured,
    nodes: measured.nodes.map((node) => {
      const found = Object.hasOwn(measurements.nodes, node.id) ? measurements.nodes[node.id] : undefined
      return found === undefined ? node : trueNode(node, found, measurements.seconds, waiting.has(node.id))
    }),
  }
}

function trueNode(node: GraphNode, found: NodeMeasurement, seconds: number, isWaiting: boolean): GraphNode {
  const { in: records, busy, blocked, workers } = found
  if (node.kind !== 'source') return isWaiting || records === 0 ? node : costing(node, found, seconds)
  const rate = seconds === 0 ? 0 : records / seconds / Math.max(LEAST_SHARE, 1 - blocked)
  // A source that waits for its records is not slow: that shows in what it makes.
  const isSlow = !isWaiting && records > 0 && busy * workers > 0
  return { ...(isSlow ? costing(node, found, seconds) : without(node)), rate }
}

function costing(node: GraphNode, { in: records, busy, workers }: NodeMeasurement, seconds: number): GraphNode {
  return { ...without(node), latencyMs: (busy * workers * seconds * 1_000) / records }
}

/** The node as if it declared no time. */
function without(node: GraphNode): GraphNode {
  const { latencyMs: _latencyMs, serviceRate: _serviceRate, ...rest } = node
  return rest
}
