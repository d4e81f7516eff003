import type { ResolvedGraph } from '../../graph/resolve.ts'
import { PATH_TYPES } from '../../graph/types.ts'
import { isGiven, WORK_OPTIONS } from '../../options/index.ts'
import type { Components } from '../components.ts'
import { branchesOf, isFailureEdge } from '../flow/shares.ts'
import { copiesOf } from './workers.ts'

/**
 * The most records that may be inside a loop at once, whatever routes they take: the window of each source, times the
 * most records that one of its records can become on the way there; and those that are put in by hand, which may begin
 * anywhere. Infinite where the loop itself makes several of one. `docs/analysis.md` has the formula.
 */
export function mostInFlight(graph: ResolvedGraph, parts: Components, loop: number, injected = 0): number {
  if (multiplies(graph, parts, loop)) return Infinity
  const most = mostInto(graph, parts, loop)
  const byHand =
    injected === 0 ? 0 : injected * largest([...most].filter((_, node) => graph.node(node).kind !== 'source'))
  return graph.nodes.reduce((sum, { kind, window, workers }, node) => {
    const arriving = most[node] ?? 0
    if (kind !== 'source' || arriving === 0) return sum
    return sum + window * workers * arriving
  }, byHand)
}

/**
 * The most records of one chunk in the loop: what sources send together, and what stages make of a batch, times what each
 * becomes on its way there.
 */
export function largestChunk(graph: ResolvedGraph, parts: Components, loop: number): number {
  const most = mostInto(graph, parts, loop)
  return graph.nodes.reduce((largest, node, number) => {
    const arriving = most[number] ?? 0
    const together = node.kind === 'source' ? chunkOf(graph, number) : (node.batch?.size ?? 1)
    return arriving === 0 ? largest : Math.max(largest, together * Math.ceil(arriving))
  }, 1)
}

function chunkOf(graph: ResolvedGraph, source: number): number {
  const node = graph.node(source)
  const { chunk, window, rate } = node
  // A rehearsal sends records one by one where it is to keep to a rate.
  const isRehearsed = rate !== undefined && !WORK_OPTIONS.some((work) => isGiven(node[work]))
  return Math.min(window, isRehearsed ? (graph.given.nodes[source]!.chunk ?? 1) : chunk)
}

/** For each node: the most records that come into the loop of one record of the node. */
function mostInto(graph: ResolvedGraph, parts: Components, loop: number): Float64Array {
  const most = new Float64Array(graph.nodes.length)
  for (let component = loop; component >= 0; component--) {
    const members = parts.members[component] ?? []
    if (component === loop) {
      for (const node of members) most[node] = 1
      continue
    }
    // In an upstream loop a record may turn before it leaves, so the best exit of any member counts for all. One that leaves
    // and turns at once does so any number of times.
    const best = largest(members.map((node) => mostFrom(graph, node, (next) => most[next] ?? 0)))
    const inside = (next: number): number => (parts.of(next) === component ? best : (most[next] ?? 0))
    const grows = parts.isLoop(component) && members.some((node) => mostFrom(graph, node, inside) > best)
    const sure = grows ? Infinity : best
    for (const node of members) most[node] = sure
  }
  return most
}

/** A record in this loop may become two records in it, so nothing bounds how many there are. */
function multiplies(graph: ResolvedGraph, parts: Components, loop: number): boolean {
  const inside = (next: number): number => (parts.of(next) === loop ? 1 : 0)
  return (parts.members[loop] ?? []).some((node) => mostFrom(graph, node, inside) > 1)
}

/**
 * The most that one record of a node can be worth, when a record that comes to `next` is worth `worth(next)`: all its
 * results, plus one record for each branch that a handler may emit to; of a conditional its best branch; or what a failure
 * is worth on the edges of one path, all of which get it. A stage whose workers all get each record gets a copy for each.
 */
function mostFrom(graph: ResolvedGraph, node: number, worth: (next: number) => number): number {
  const options = graph.node(node)
  const sum = (edges: readonly number[]): number =>
    edges.reduce((total, edge) => total + copiesOf(graph, edge) * worth(graph.to(edge)), 0)
  const edges = graph.out(node)
  const failures = edges.filter((edge) => isFailureEdge(options, graph.edge(edge)))
  const results = edges.filter((edge) => !failures.includes(edge))
  const failed = largest(PATH_TYPES.map((path) => sum(failures.filter((edge) => graph.edge(edge).pathType === path))))
  if (options.kind === 'conditional') {
    return Math.max(failed, largest(branchesOf(options, results, graph).map((branch) => sum(branch.edges))))
  }
  const plain = results.filter((edge) => graph.edge(edge).when === undefined)
  const emitted = results.filter((edge) => graph.edge(edge).when !== undefined)
  const made = sum(plain) * Math.max(1, Math.ceil(options.selectivity)) + sum(emitted)
  // A handler of batches may give one record up and make something of it all the same.
  return options.batch === undefined ? Math.max(failed, made) : failed + made
}

/** The largest of numbers that are not negative; a spread would overflow the stack on long lists. */
function largest(numbers: readonly number[]): number {
  return numbers.reduce((most, number) => Math.max(most, number), 0)
}
