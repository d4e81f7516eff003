import { SOURCE_DEFAULTS } from './lanes.js'
import { branchesOf, isFailureEdge } from '../flow/shares.js'
/**
 * The most records that may be inside a loop at once, whatever routes they take: the window of each source, times the
 * most records that one of its records can become on the way there. Infinite where the loop itself makes several of one.
 * `docs/analysis.md` has the formula.
 */
export function mostInFlight(graph, parts, loop) {
  if (multiplies(graph, parts, loop)) return Infinity
  const most = mostInto(graph, parts, loop)
  return graph.nodes.reduce((sum, { kind, window, concurrency }, node) => {
    const arriving = most[node] ?? 0
    if (kind !== 'source' || arriving === 0) return sum
    return sum + (window ?? SOURCE_DEFAULTS.window) * (concurrency ?? SOURCE_DEFAULTS.concurrency) * arriving
  }, 0)
}
/** For each node: the most records that come into the loop of one record of the node. */
function mostInto(graph, parts, loop) {
  const most = new Float64Array(graph.nodes.length)
  for (let component = loop; component >= 0; component--) {
    const members = parts.members[component] ?? []
    if (component === loop) {
      for (const node of members) most[node] = 1
      continue
    }
    // In an upstream loop a record may turn before it leaves, so the best exit of any member counts for all.
    const best = largest(members.map((node) => mostFrom(graph, node, (next) => most[next] ?? 0)))
    const sure = best > 0 && parts.isLoop(component) && multiplies(graph, parts, component) ? Infinity : best
    for (const node of members) most[node] = sure
  }
  return most
}
/** A record in this loop may become two records in it, so nothing bounds how many there are. */
function multiplies(graph, parts, loop) {
  const inside = (next) => (parts.of(next) === loop ? 1 : 0)
  return (parts.members[loop] ?? []).some((node) => mostFrom(graph, node, inside) > 1)
}
/**
 * The most that one record of a node can be worth, when a record that comes to `next` is worth `worth(next)`: all its
 * results, plus one record for each branch that a handler may emit to; of a conditional its best branch; or its best failure.
 */
function mostFrom(graph, node, worth) {
  const options = graph.node(node)
  const sum = (edges) => edges.reduce((total, edge) => total + worth(graph.to(edge)), 0)
  const edges = graph.out(node)
  const failures = edges.filter((edge) => isFailureEdge(options, graph.edge(edge)))
  const results = edges.filter((edge) => !failures.includes(edge))
  const failed = largest(failures.map((edge) => worth(graph.to(edge))))
  if (options.kind === 'conditional') {
    return Math.max(failed, largest(branchesOf(options, results, graph).map((branch) => sum(branch.edges))))
  }
  const plain = results.filter((edge) => graph.edge(edge).when === undefined)
  const emitted = results.filter((edge) => graph.edge(edge).when !== undefined)
  return Math.max(failed, sum(plain) * Math.max(1, options.selectivity ?? 1) + sum(emitted))
}
/** The largest of numbers that are not negative; a spread would overflow the stack on long lists. */
function largest(numbers) {
  return numbers.reduce((most, number) => Math.max(most, number), 0)
}
