import { isStage, type ResolvedGraph, type ResolvedNode } from '../../graph/resolve.ts'
import { components, type Components } from '../components.ts'
import { isHop } from '../parts.ts'
import type { NodeService } from './service.ts'
import { branchesOf, type EdgeShare, failuresOf, isFailureEdge } from './shares.ts'
import { times } from './times.ts'
import type { Traffic } from './traffic.ts'

/** What the windows are reckoned from. */
export interface Flowing {
  readonly graph: ResolvedGraph
  readonly shares: readonly EdgeShare[]
  readonly services: readonly NodeService[]
  readonly traffic: Traffic
}

/** Rounds in which the rates and the waits in open batches are brought into agreement. */
const ROUNDS = 20
/** Visits to the nodes of a loop that are followed, and the share of the time that may be left out. */
const VISITS = 5_000
const LEFT_OUT = 1e-4

/**
 * The most that the window of each source lets it send, in records per second: Little's law, `window × workers` over the time
 * that a record holds its place, where nothing waits in lanes. That is until the last of what came of it has ended: copies
 * and several results count with the slowest, branches and retries as often as is to be expected, open batches with the
 * time in which they fill. Infinite where a record takes no time.
 * Cost: linear, for each round; with batches some rounds.
 */
export function windowRates(
  flowing: Flowing,
  sources: readonly { readonly node: number; readonly most: number }[],
): number[] {
  const { graph, traffic } = flowing
  const windows = sources.map(({ node }) => graph.node(node).window * graph.node(node).workers)
  const parts = components(graph)
  const ratesAt = (into: Float64Array): number[] => {
    const residence = residenceMs(
      flowing,
      parts,
      into,
      windows.reduce((sum, window) => sum + window, 0),
    )
    return sources.map(({ node }, index) => {
      const ms = afterMs(flowing, residence, into, node)
      // What grows without end holds its place for ever, and is a matter of the loop.
      return ms === 0 || ms === Infinity ? Infinity : (windows[index]! * 1_000) / ms
    })
  }
  let rates = ratesAt(new Float64Array(graph.nodes.length).fill(Infinity))
  if (!graph.nodes.some(isBatching) || rates.every((rate) => rate === Infinity)) return rates
  for (let round = 0; round < ROUNDS; round++) {
    const outside = new Float64Array(graph.nodes.length)
    sources.forEach(({ node, most }, index) => void (outside[node] = Math.min(most, rates[index]!)))
    const next = ratesAt(traffic.solve(outside))
    const isSettled = next.every(
      (rate, index) => rate === rates[index] || Math.abs(rate - rates[index]!) <= 1e-4 * rate,
    )
    rates = next
    if (isSettled) break
  }
  return rates
}

/** How long it takes from a record's coming to each node until all that came of it has ended, in ms. */
function residenceMs(flowing: Flowing, parts: Components, into: Float64Array, window: number): Float64Array {
  const { graph } = flowing
  const residence = new Float64Array(graph.nodes.length)
  const growing = new Set(flowing.traffic.growing.flat())
  for (let part = parts.count - 1; part >= 0; part--) {
    const members = parts.members[part]!
    if (growing.has(members[0]!)) {
      for (const node of members) residence[node] = Infinity
      continue
    }
    // What comes after a node is settled before it, but for what leads back.
    const order = parts.isLoop(part) ? lastFirst(graph, members) : members
    for (let visits = 0, change = 1; change > LEFT_OUT && visits < VISITS; visits += members.length) {
      change = 0
      for (const node of order) {
        const before = residence[node]!
        // The place of a record is free once a broker has it.
        const isOver = isHop(graph.node(node))
        residence[node] = isOver ? 0 : hereMs(flowing, node, into, window) + afterMs(flowing, residence, into, node)
        if (residence[node] > before) change = Math.max(change, 1 - before / residence[node])
      }
      if (!parts.isLoop(part)) break
    }
  }
  return residence
}

/** The nodes of a loop, each after those that its records go to, as far as a loop allows. */
function lastFirst(graph: ResolvedGraph, members: readonly number[]): readonly number[] {
  const inside = new Set(members)
  const seen = new Set<number>()
  const order: number[] = []
  const open: { readonly node: number; next: number }[] = []
  const enter = (node: number): void => {
    seen.add(node)
    open.push({ node, next: 0 })
  }
  for (const start of members) {
    if (!seen.has(start)) enter(start)
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const edge = graph.out(top.node)[top.next++]
      if (edge === undefined) order.push(open.pop()!.node)
      else if (inside.has(graph.to(edge)) && !seen.has(graph.to(edge))) enter(graph.to(edge))
    }
  }
  return order
}

/** In the handler, and before it in an open batch. A batch is served as a whole. */
function hereMs({ graph, services }: Flowing, node: number, into: Float64Array, window: number): number {
  const { serviceMs } = services[node]!
  const { batch, workers } = graph.node(node)
  if (batch === undefined) return serviceMs
  const { size, timeoutMs } = batch
  const perWorker = into[node]! / workers
  // What cannot come together waits for the time-out, and each batch holds all that may be on its way.
  if (window < size) return timeoutMs + serviceMs * window
  const fillMs = perWorker === 0 ? Infinity : ((size - 1) * 1_000) / perWorker
  const together = Math.min(size, 1 + (perWorker === Infinity ? Infinity : (perWorker * timeoutMs) / 1_000))
  return Math.min(timeoutMs, fillMs) / 2 + serviceMs * together
}

function isBatching({ batch }: ResolvedNode): boolean {
  return batch !== undefined
}

/** From the end of a call until all that came of the record has ended. */
function afterMs(flowing: Flowing, residence: Float64Array, into: Float64Array, node: number): number {
  const { graph, shares } = flowing
  const options = graph.node(node)
  const edges = graph.out(node)
  const longest = (group: readonly number[]): number =>
    group.reduce((most, edge) => Math.max(most, graph.edge(edge).weight + residence[graph.to(edge)]!), 0)
  const ofOne = (edge: number): number => (shares[edge]?.gain ?? 0) / (shares[edge]?.copies ?? 1)
  const failures = failuresOf(options, edges, graph)
  const failedMs = failures.reduce(
    (sum, { edges: group }) => sum + times(ofOne(group[0]!), longest(group.filter((edge) => ofOne(edge) > 0))),
    0,
  )
  const others = edges.filter((edge) => !isFailureEdge(options, graph.edge(edge)))
  const isPlain = (edge: number): boolean => options.kind !== 'conditional' && graph.edge(edge).when === undefined
  const branches = branchesOf(
    options,
    others.filter((edge) => !isPlain(edge)),
    graph,
  )
  const branchMs = branches.map(({ edges: group }) => times(Math.min(1, ofOne(group[0]!)), longest(group)))
  if (options.kind === 'conditional') return failedMs + branchMs.reduce((sum, ms) => sum + ms, 0)
  const plainMs = others
    .filter(isPlain)
    .map((edge) => times(Math.min(1, ofOne(edge)), longest([edge])) + queuedMs(flowing, edge, into))
  return failedMs + [...plainMs, ...branchMs].reduce((most, ms) => Math.max(most, ms), 0)
}

/** Several results of one record, or of one batch, are served one after the other: the last of them waits for the others. */
function queuedMs({ graph, services, shares }: Flowing, edge: number, into: Float64Array): number {
  const { gain, copies } = shares[edge]!
  const from = graph.node(graph.from(edge))
  const to = graph.to(edge)
  if (!isStage(graph.node(to).kind) || isBatching(graph.node(to))) return 0
  const together = (gain / copies) * (into[graph.from(edge)]! > 0 ? (from.batch?.size ?? 1) : 1)
  const { serviceMs, servers } = services[to]!
  return (Math.max(0, together - 1) * serviceMs) / servers / (isBatching(from) ? 2 : 1)
}
