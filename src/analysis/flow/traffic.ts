import type { Adjacency } from '../adjacency.ts'
import { components } from '../components.ts'
import { loopTraffic } from './loop-traffic.ts'
import { times } from './times.ts'

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
