import type { ResolvedGraph } from '../../graph/resolve.ts'
import { quote } from '../problems.ts'

/** Paths that part at `fork` and meet again at `join`. */
export interface Reconvergence {
  readonly fork: string
  readonly join: string
  readonly safe: true
  readonly why: string
}

/** Steps of all searches together before the list is cut. */
const MAX_STEPS = 5_000_000

/**
 * For each node with several inputs, the nearest node from which two of them come. They are all safe here: a stage reads
 * whatever lane has records and waits for no particular one, so a full path never keeps another from being emptied.
 */
export function reconvergences(graph: ResolvedGraph): { list: readonly Reconvergence[]; incomplete: boolean } {
  const list: Reconvergence[] = []
  let steps = 0
  for (let join = 0; join < graph.nodes.length; join++) {
    if (graph.in(join).length < 2) continue
    const search = nearestFork(graph, join)
    steps += search.steps
    if (steps > MAX_STEPS) return { list, incomplete: true }
    if (search.fork === undefined) continue
    const [from, to] = [graph.id(search.fork), graph.id(join)]
    const why = `${quote(to)} takes whatever comes first, so what is late on one path from ${quote(from)} does not hold up the others.`
    list.push({ fork: from, join: to, safe: true, why })
  }
  return { list, incomplete: false }
}

/** Walks up from all inputs at once; the first node that is come upon from two of them is the fork. */
function nearestFork(graph: ResolvedGraph, join: number): { fork: number | undefined; steps: number } {
  const reachedBy = new Map<number, number>()
  const queue: { node: number; input: number }[] = []
  let steps = 0
  for (const edge of graph.in(join)) queue.push({ node: graph.from(edge), input: edge })
  // The queue grows while it is walked: first in, first out, so nearer nodes come first.
  for (const { node, input } of queue) {
    steps++
    if (node === join) continue
    const before = reachedBy.get(node)
    if (before !== undefined && before !== input) return { fork: node, steps }
    if (before !== undefined) continue
    reachedBy.set(node, input)
    for (const edge of graph.in(node)) queue.push({ node: graph.from(edge), input })
  }
  return { fork: undefined, steps }
}
