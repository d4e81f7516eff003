import { resolveNode } from '#src/graph/resolve.js'
import { type GraphData, type Rehearsal } from 'millrace'
import { deadlock } from 'millrace/analysis'
import { play, type Played } from './harness.js'

/** Rates within these shares, as the measured time lets them be told. */
export const WAITING = 0.05
export const BURNING = 0.08
/** Records that may be on one side of a snapshot or the other. */
const EDGE_RECORDS = 3
/** Two stages whose loads differ by less are both the bottleneck. */
const TIE = 0.04

const TRIES = 3

/** Why graphs do not run as predicted, whatever is tried. */
export async function complaintsOf(graphs: readonly GraphData[]): Promise<readonly string[]> {
  let left = [...graphs]
  let complaints: string[] = []
  // What is not as predicted is tried again, longer and with less company: the machine is not ours alone.
  for (let attempt = 1; attempt <= TRIES && left.length > 0; attempt++) {
    const atOnce = attempt === 1 ? 3 : 1
    const wrong: typeof left = []
    complaints = []
    for (let i = 0; i < left.length; i += atOnce) {
      const some = left.slice(i, i + atOnce)
      const found = await Promise.all(some.map((graph) => complaintOf(graph, 2 * attempt, WAITING)))
      found.forEach((complaint, n) => {
        if (complaint === undefined) return
        complaints.push(complaint)
        wrong.push(some[n]!)
      })
    }
    left = wrong
  }
  return complaints
}

/** Why a random graph does not run as predicted; nothing where it does. */
export async function complaintOf(graph: GraphData, seconds: number, tolerance: number): Promise<string | undefined> {
  const played = await play(graph, seconds, seconds / 2)
  const found = reasonOf(graph, played, seconds / 2, tolerance)
  return found === undefined ? undefined : `${graph.name}: ${found}; ${JSON.stringify(graph)}`
}

function reasonOf(graph: GraphData, { rehearsal }: Played, seconds: number, tolerance: number): string | undefined {
  const { nodes, bottleneck } = rehearsal
  const batch = Math.max(1, ...graph.nodes.map((node) => (node.batch?.size ?? 1) * resolveNode(node).concurrency))
  for (const [id, { predicted, measured }] of Object.entries(nodes)) {
    const records = Math.abs(predicted.in - measured.in) * seconds - EDGE_RECORDS * batch
    if (records > tolerance * predicted.in * seconds)
      return `${id}: ${measured.in.toFixed(1)}/s, not ${predicted.in.toFixed(1)}/s`
  }
  if (!deadlock(graph).safe) return undefined
  if (nodes['out']!.measured.in === 0) return 'it stands still, and is said to be safe'
  return bottleneck.predicted === bottleneck.measured || isTie(rehearsal)
    ? undefined
    : `bottleneck ${JSON.stringify(bottleneck)}`
}

/** Both are as full as each other, or nothing is full. */
function isTie({ nodes, bottleneck: { predicted, measured } }: Rehearsal): boolean {
  const load = (id: string | null): number => (id === null ? 0 : (nodes[id]?.predicted.utilisation ?? 0))
  const isFull = Object.values(nodes).some(({ predicted: { utilisation } }) => utilisation > 0.9)
  const isHeld = load(predicted) === 0
  return Math.abs(load(predicted) - load(measured)) <= TIE || !(isFull || isHeld)
}
