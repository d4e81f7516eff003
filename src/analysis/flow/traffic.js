import { MillraceError } from '../../errors.js'
import { components } from '../components.js'
/** Fill-in that the elimination of one loop may make before it is given up. */
const MAX_FILL = 5_000_000
/**
 * Prepares the traffic equations: node by node in topological order, and by elimination inside each loop, so the answer is
 * the fixed point itself and not an approach to it. `gain` is by edge. Linear but for loops.
 * @throws LOOP_TOO_LARGE where a loop has so many crossing edges that elimination would not end in reasonable time
 */
export function traffic(graph, gain) {
  const parts = components(graph)
  const loops = parts.members.map((members, index) =>
    parts.isLoop(index) ? loopTraffic(graph, members, gain) : undefined,
  )
  return {
    isOnLoop: (node) => parts.isLoop(parts.of(node)),
    growing: parts.members.filter((_, index) => loops[index]?.grows === true),
    solve: (outside) => {
      const rate = Float64Array.from(outside)
      parts.members.forEach((members, index) => {
        for (const node of members) {
          for (const edge of graph.in(node)) {
            const from = graph.from(edge)
            if (parts.of(from) !== index) rate[node] += times(rate[from], gain(edge))
          }
        }
        loops[index]?.solve(rate)
      })
      return rate
    },
  }
}
/** A product in which nothing times anything is nothing, infinity included. */
export function times(a, b) {
  return a === 0 || b === 0 ? 0 : a * b
}
/** Prepares one strongly connected component. @throws LOOP_TOO_LARGE */
export function loopTraffic(graph, members, gain) {
  const steps = eliminate(graph, members, gain)
  return steps === 'grows'
    ? { grows: true, solve: (rate) => flood(rate, members) }
    : { grows: false, solve: (rate) => substitute(steps, rate) }
}
function flood(rate, members) {
  if (members.every((node) => rate[node] === 0)) return
  for (const node of members) rate[node] = Infinity
}
/**
 * Takes the nodes of a loop out of the equations one by one, those with few edges first: what went through the node goes
 * straight from its feeders to its readers. All pivots are positive exactly if the loop's records die out, so no pivoting
 * is needed and growth shows.
 */
function eliminate(graph, members, gain) {
  const inside = new Set(members)
  const out = new Map(members.map((node) => [node, new Map()]))
  const into = new Map(members.map((node) => [node, new Map()]))
  const add = (from, to, value) => {
    out.get(from)?.set(to, (out.get(from)?.get(to) ?? 0) + value)
    into.get(to)?.set(from, (into.get(to)?.get(from) ?? 0) + value)
  }
  for (const node of members) {
    for (const edge of graph.out(node)) if (inside.has(graph.to(edge))) add(node, graph.to(edge), gain(edge))
  }
  const size = (node) => (out.get(node)?.size ?? 0) * (into.get(node)?.size ?? 0)
  const order = [...members].sort((a, b) => size(a) - size(b))
  const steps = []
  let fill = 0
  for (const node of order) {
    const back = out.get(node)?.get(node) ?? 0
    if (1 - back <= 1e-12) return 'grows'
    const turns = 1 / (1 - back)
    const feeders = without(into.get(node), node)
    const readers = without(out.get(node), node)
    fill += feeders.size * readers.size
    if (fill > MAX_FILL) throw new MillraceError('LOOP_TOO_LARGE', { nodes: members.length, node: graph.id(node) })
    for (const from of feeders.keys()) out.get(from)?.delete(node)
    for (const to of readers.keys()) into.get(to)?.delete(node)
    for (const [from, first] of feeders) for (const [to, second] of readers) add(from, to, first * turns * second)
    steps.push({ node, turns, into: feeders, out: readers })
  }
  return steps
}
function without(map = new Map(), key) {
  return new Map([...map].filter(([node]) => node !== key))
}
function substitute(steps, rate) {
  for (const { node, turns, out } of steps) {
    for (const [to, share] of out) rate[to] += times(rate[node] * turns, share)
  }
  for (const { node, turns, into } of [...steps].reverse()) {
    let sum = rate[node]
    for (const [from, share] of into) sum += times(rate[from], share)
    rate[node] = sum * turns
  }
}
