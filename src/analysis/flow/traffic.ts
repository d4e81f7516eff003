import type { ResolvedGraph } from '../../graph/resolve.ts'
import { components, type Components } from '../components.ts'
import { loopTraffic } from './loop-traffic.ts'

/** The traffic equations of a graph, ready to be solved for any records that come from outside. */
export interface Traffic {
  /**
   * Rate into each node, when `outside[node]` comes to it from outside: the solution of
   * `in = outside + Σ over edges into the node (gain × in of the edge's node)`. Infinite where a loop grows. `atMost` cuts
   * what each node hands on, loop by loop. Linear in nodes and edges.
   */
  solve(outside: Float64Array, atMost?: number): Float64Array
  /**
   * The same for records that come to a few nodes only: `visit` gets each node that any reach, in topological order, with its
   * rate, and may not ask for another solution. Linear in what lies between the first and the last of them.
   */
  spread(outside: Outside, visit: (node: number, rate: number) => void, atMost?: number): void
  /** How often a record that comes to a node is there until it has left for good, the first time included. */
  turns(node: number): number
  /** Whether records of a node may come back to it. */
  isOnLoop(node: number): boolean
  /** Place of a node in topological order; nodes of one loop share it. */
  place(node: number): number
  /** Loops that send back at least as much as they take: node numbers, in topological order. */
  readonly growing: readonly (readonly number[])[]
}

/** Nodes with what comes to each from outside. */
export type Outside = Iterable<readonly [node: number, rate: number]>

/**
 * Prepares the traffic equations: node by node in topological order, and by elimination inside each loop, so the answer is
 * the fixed point itself and not an approach to it. `gain` is by edge. Linear but for loops.
 * @throws LOOP_TOO_LARGE where a loop has so many crossing edges that elimination would not end in reasonable time
 */
export function traffic(graph: ResolvedGraph, gain: (edge: number) => number): Traffic {
  const parts = components(graph)
  const loops = parts.members.map((members, index) =>
    parts.isLoop(index) ? loopTraffic(graph, members, gain) : undefined,
  )
  const places = Int32Array.from(graph.nodes, (_, node) => parts.of(node))
  const { start, to, share } = crossings(graph, parts, gain)
  /** All zero between two solutions. */
  let scratch: Float64Array | undefined
  const clean = (): Float64Array => (scratch ??= new Float64Array(places.length))

  /** Settles one component and hands on what leaves it. Gives the highest place that got any. */
  const settle = (rate: Float64Array, place: number, atMost: number): number => {
    let last = place
    loops[place]?.solve(rate)
    for (const node of parts.members[place]!) {
      const here = (rate[node] = Math.min(atMost, rate[node]!))
      if (here === 0) continue
      for (let link = start[node]!; link < start[node + 1]!; link++) {
        const next = to[link]!
        rate[next]! += here * share[link]!
        if (places[next]! > last) last = places[next]!
      }
    }
    return last
  }
  return {
    isOnLoop: (node) => parts.isLoop(places[node]!),
    place: (node) => places[node]!,
    growing: parts.members.filter((_, index) => loops[index]?.grows === true),
    solve: (outside, atMost = Infinity) => {
      const rate = Float64Array.from(outside)
      for (let place = 0; place < parts.count; place++) settle(rate, place, atMost)
      return rate
    },
    spread: (outside, visit, atMost = Infinity) => {
      const rate = clean()
      let first = parts.count
      let last = -1
      for (const [node, amount] of outside) {
        rate[node]! += amount
        first = Math.min(first, places[node]!)
        last = Math.max(last, places[node]!)
      }
      for (let place = first; place <= last; place++) {
        const members = parts.members[place]!
        if (members.length === 1 ? rate[members[0]!] === 0 : members.every((node) => rate[node] === 0)) continue
        last = Math.max(last, settle(rate, place, atMost))
        for (const node of members) {
          if (rate[node]! > 0) visit(node, rate[node]!)
          rate[node] = 0
        }
      }
    },
    turns: (node) => {
      const loop = loops[places[node]!]
      if (loop === undefined) return 1
      const rate = clean()
      rate[node] = 1
      loop.solve(rate)
      const turns = rate[node]
      for (const member of parts.members[places[node]!]!) rate[member] = 0
      return turns
    },
  }
}

/** Edges from one component to another that carry anything, flat: those out of a node lie from `start[node]` on. */
interface Crossings {
  readonly start: Int32Array
  readonly to: Int32Array
  readonly share: Float64Array
}

function crossings(graph: ResolvedGraph, parts: Components, gain: (edge: number) => number): Crossings {
  const start = new Int32Array(graph.nodes.length + 1)
  const to: number[] = []
  const share: number[] = []
  graph.nodes.forEach((_, node) => {
    for (const edge of graph.out(node)) {
      const next = graph.to(edge)
      if (parts.of(next) === parts.of(node) || gain(edge) === 0) continue
      to.push(next)
      share.push(gain(edge))
    }
    start[node + 1] = to.length
  })
  return { start, to: Int32Array.from(to), share: Float64Array.from(share) }
}
