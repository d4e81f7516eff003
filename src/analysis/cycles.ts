import type { ResolvedGraph } from '../graph/resolve.ts'
import { components } from './components.ts'
import { isFailureEdge, type EdgeShare } from './flow/shares.ts'
import type { Cycle } from './types.ts'

/** Elementary cycles as lists of edges, and whether the list stops before the last one. */
export interface CycleList {
  readonly cycles: readonly (readonly number[])[]
  readonly incomplete: boolean
}

/**
 * Elementary cycles, each once, parallel edges apart (Johnson, SIAM J. Comput. 4(1), 1975). There may be exponentially many,
 * so at most `limit` are listed. Cost: O((nodes + edges) × (cycles listed + 1)).
 */
export function elementaryCycles(graph: ResolvedGraph, limit: number): CycleList {
  const cycles: number[][] = []
  const all = components(graph)
  const pending = all.members.filter((_, index) => all.isLoop(index)).reverse()
  for (let members = pending.pop(); members !== undefined; members = pending.pop()) {
    const [start = -1, ...rest] = members
    if (!cyclesThrough(graph, start, new Set(members), limit, cycles)) return { cycles, incomplete: true }
    const inner = components(graph, rest)
    for (let index = inner.count - 1; index >= 0; index--) {
      if (inner.isLoop(index)) pending.push(inner.members[index] ?? [])
    }
  }
  return { cycles, incomplete: false }
}

/** Adds the cycles through `start` that stay within `allowed`. False when the limit cut the list short. */
function cyclesThrough(
  graph: ResolvedGraph,
  start: number,
  allowed: ReadonlySet<number>,
  limit: number,
  cycles: number[][],
): boolean {
  const blocked = new Set<number>([start])
  const waiting = new Map<number, Set<number>>()
  const path: { node: number; next: number; found: boolean }[] = [{ node: start, next: 0, found: false }]
  const edges: number[] = []
  const unblock = (first: number): void => {
    const todo = [first]
    for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
      blocked.delete(node)
      for (const other of waiting.get(node) ?? []) if (blocked.has(other)) todo.push(other)
      waiting.delete(node)
    }
  }
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const edge = graph.out(top.node)[top.next++]
    if (edge !== undefined) {
      const next = graph.to(edge)
      if (next === start) {
        if (cycles.length >= limit) return false
        cycles.push([...edges, edge])
        top.found = true
      } else if (allowed.has(next) && !blocked.has(next)) {
        path.push({ node: next, next: 0, found: false })
        edges.push(edge)
        blocked.add(next)
      }
      continue
    }
    path.pop()
    edges.pop()
    const above = path.at(-1)
    if (top.found) {
      unblock(top.node)
      if (above !== undefined) above.found = true
    } else {
      // No way back to the start from here, until one of the next nodes is free again.
      for (const out of graph.out(top.node)) {
        const next = graph.to(out)
        if (!allowed.has(next)) continue
        waiting.set(next, (waiting.get(next) ?? new Set()).add(top.node))
      }
    }
  }
  return true
}

/** A list of edges as plain data. */
export function describeCycle(graph: ResolvedGraph, shares: readonly EdgeShare[], edges: readonly number[]): Cycle {
  const paths = edges.map((edge) => graph.edge(edge).pathType)
  const attempts = edges.flatMap((edge) => {
    const node = graph.given.nodes[graph.from(edge)]!
    return isFailureEdge(node, graph.edge(edge)) ? (node.retry?.maxAttempts ?? []) : []
  })
  return {
    nodes: edges.map((edge) => graph.id(graph.from(edge))),
    edges,
    paths,
    intended: paths.includes('retry'),
    gain: edges.reduce((gain, edge) => gain * (shares[edge]?.gain ?? 0), 1),
    ...(attempts.length === 0 ? {} : { maxAttempts: attempts.reduce((least, each) => Math.min(least, each)) }),
  }
}
