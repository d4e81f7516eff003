import { MillraceError } from '../../errors.ts'
import type { Adjacency } from '../adjacency.ts'
import { components } from '../components.ts'

/** Fill-in that the elimination of one loop may make before it is given up. */
const MAX_FILL = 5_000_000

/** The traffic equations of a graph, ready to be solved for any records that come from outside. */
export interface Traffic {
  /**
   * Rate into each node, when `outside[node]` comes to it from outside: the solution of
   * `in = outside + Σ over edges into the node (gain × in of the edge's node)`. Infinite where a loop grows. `atMost` cuts
   * what each node hands on, loop by loop.
   */
  solve(outside: Float64Array, atMost?: number): Float64Array
  /** Whether records of a node may come back to it. */
  isOnLoop(node: number): boolean
  /** Loops that send back at least as much as they take: node numbers, in topological order. */
  readonly growing: readonly (readonly number[])[]
}

/**
 * Prepares the traffic equations: node by node in topological order, and by elimination inside each loop, so the answer is
 * the fixed point itself and not an approach to it. `gain` is by edge. Linear but for loops.
 * @throws LOOP_TOO_LARGE where a loop has so many crossing edges that elimination would not end in reasonable time
 */
export function traffic(graph: Adjacency, gain: (edge: number) => number): Traffic {
  const parts = components(graph)
  const loops = parts.members.map((members, index) =>
    parts.isLoop(index) ? loopTraffic(graph, members, gain) : undefined,
  )
  return {
    isOnLoop: (node) => parts.isLoop(parts.of(node)),
    growing: parts.members.filter((_, index) => loops[index]?.grows === true),
    solve: (outside, atMost = Infinity) => {
      const rate = Float64Array.from(outside)
      parts.members.forEach((members, index) => {
        for (const node of members) {
          for (const edge of graph.in(node)) {
            const from = graph.from(edge)
            if (parts.of(from) !== index) rate[node]! += times(rate[from]!, gain(edge))
          }
        }
        loops[index]?.solve(rate)
        for (const node of members) rate[node] = Math.min(atMost, rate[node]!)
      })
      return rate
    },
  }
}

/** A product in which nothing times anything is nothing, infinity included. */
export function times(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : a * b
}

/** The traffic equations of one loop by itself. */
export interface LoopTraffic {
  /** It sends back at least as much as it takes. */
  readonly grows: boolean
  /** Replaces what comes to each member from outside by the rate into it. Other entries stay as they are. */
  solve(rate: Float64Array): void
}

/** Prepares one strongly connected component. @throws LOOP_TOO_LARGE */
export function loopTraffic(graph: Adjacency, members: readonly number[], gain: (edge: number) => number): LoopTraffic {
  const steps = eliminate(graph, members, gain)
  return steps === 'grows'
    ? { grows: true, solve: (rate) => flood(rate, members) }
    : { grows: false, solve: (rate) => substitute(steps, rate) }
}

function flood(rate: Float64Array, members: readonly number[]): void {
  if (members.every((node) => rate[node] === 0)) return
  for (const node of members) rate[node] = Infinity
}

/** One node taken out of the equations: what it sends to, and takes from, the nodes that were still there. */
interface Step {
  readonly node: number
  /** 1 / (1 - what of its own records comes straight back). */
  readonly turns: number
  readonly into: ReadonlyMap<number, number>
  readonly out: ReadonlyMap<number, number>
}

/**
 * Takes the nodes of a loop out of the equations one by one, those with few edges first: what went through the node goes
 * straight from its feeders to its readers. All pivots are positive exactly if the loop's records die out, so no pivoting
 * is needed and growth shows.
 */
function eliminate(
  graph: Adjacency,
  members: readonly number[],
  gain: (edge: number) => number,
): readonly Step[] | 'grows' {
  const inside = new Set(members)
  const out = new Map(members.map((node) => [node, new Map<number, number>()]))
  const into = new Map(members.map((node) => [node, new Map<number, number>()]))
  const add = (from: number, to: number, value: number): void => {
    out.get(from)?.set(to, (out.get(from)?.get(to) ?? 0) + value)
    into.get(to)?.set(from, (into.get(to)?.get(from) ?? 0) + value)
  }
  for (const node of members) {
    for (const edge of graph.out(node)) if (inside.has(graph.to(edge))) add(node, graph.to(edge), gain(edge))
  }
  const size = (node: number): number => (out.get(node)?.size ?? 0) * (into.get(node)?.size ?? 0)
  const order = [...members].sort((a, b) => size(a) - size(b))
  const steps: Step[] = []
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

function without(map: ReadonlyMap<number, number> = new Map(), key: number): ReadonlyMap<number, number> {
  return new Map([...map].filter(([node]) => node !== key))
}

function substitute(steps: readonly Step[], rate: Float64Array): void {
  for (const { node, turns, out } of steps) {
    for (const [to, share] of out) rate[to]! += times(rate[node]! * turns, share)
  }
  for (const { node, turns, into } of [...steps].reverse()) {
    let sum = rate[node]!
    for (const [from, share] of into) sum += times(rate[from]!, share)
    rate[node] = sum * turns
  }
}
