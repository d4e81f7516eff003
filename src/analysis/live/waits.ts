import { isStage } from '../../graph/resolve.ts'
import type { Measured } from './measured.ts'

/** Who waits for whom, over which edge. */
export interface Wait {
  readonly node: string
  readonly waitsFor: string
  /** Index into `graph.edges`: the edge on which it waits for credit. */
  readonly edge: number
  /** Share of its workers' time, 0 to 1. */
  readonly share: number
}

/** A wait below this share of the time is noise. */
export const HARDLY = 0.05

/**
 * Every wait of one stage for another, the longest first, equals in the order of their edges. A source that is blocked while
 * the lane out of it is empty and its reader starves waits for acks, not for that reader: such a wait is not among them.
 */
export function waitsOf(measured: Measured): readonly Wait[] {
  const { graph } = measured
  return graph.edges
    .flatMap((edge): Wait[] => {
      const share = measured.edge(edge).blockedShare
      const { kind, id } = graph.node(graph.from(edge))
      if (share < HARDLY || !isStage(kind)) return []
      const { reader, fill } = wayFrom(measured, edge)
      if (kind === 'source' && fill < HARDLY && mostlyStarves(measured, reader)) return []
      return [{ node: id, waitsFor: graph.id(reader), edge, share }]
    })
    .sort((a, b) => b.share - a.share)
}

/** The waits that lead to this one and go on from it, as long as `isEnd` lets them: in order, each step once. */
export function chainThrough(wait: Wait, waits: readonly Wait[], isEnd: (node: string) => boolean): readonly Wait[] {
  const chain = [wait]
  const seen = new Set([wait.node, wait.waitsFor])
  const above = ({ node }: Wait): Wait | undefined =>
    waits.find((each) => each.waitsFor === node && !seen.has(each.node))
  for (let next = above(wait); next !== undefined; next = above(next)) {
    chain.unshift(next)
    seen.add(next.node)
  }
  const below = ({ waitsFor }: Wait): Wait | undefined =>
    isEnd(waitsFor) ? undefined : waits.find(({ node }) => node === waitsFor)
  const passed = new Set(chain.map(({ node }) => node))
  for (let next = below(wait); next !== undefined && !passed.has(next.node); next = below(next)) {
    chain.push(next)
    passed.add(next.node)
  }
  return chain
}

/** The stage that reads the lane, and how full the lane is: through nodes without threads, the way on which most records wait. */
function wayFrom({ graph, edge }: Measured, first: number): { readonly reader: number; readonly fill: number } {
  let [last, node] = [first, graph.to(first)]
  const fillOf = (each: number): number => {
    const { queued, capacity } = edge(each)
    return capacity === 0 ? 0 : queued / capacity
  }
  for (const seen = new Set<number>(); !isStage(graph.node(node).kind) && !seen.has(node);) {
    seen.add(node)
    const [one, ...more] = graph.out(node)
    if (one === undefined) break
    last = more.reduce((most, next) => (fillOf(next) > fillOf(most) ? next : most), one)
    node = graph.to(last)
  }
  return { reader: node, fill: fillOf(last) }
}

function mostlyStarves({ node }: Measured, number: number): boolean {
  const counts = node(number)
  return counts !== undefined && counts.starved > Math.max(counts.busy, counts.blocked, counts.limited)
}
