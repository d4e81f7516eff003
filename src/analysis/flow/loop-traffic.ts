import { MillraceError } from '../../errors.ts'
import type { Adjacency } from '../adjacency.ts'
import { times } from './times.ts'

/** Fill-in that the elimination of one loop may make before it is given up. */
const MAX_FILL = 5_000_000

/** The traffic equations of one loop by itself. */
export interface LoopTraffic {
  /** It sends back at least as much as it takes. */
  readonly grows: boolean
  /** Replaces what comes to each member from outside by the rate into it. Other entries stay as they are. */
  solve(rate: Float64Array): void
}

/** The equations of one loop, ready for any gains, which are by edge. */
export type LoopPattern = (gain: (edge: number) => number) => LoopTraffic

/** Prepares one strongly connected component. @throws LOOP_TOO_LARGE */
export function loopTraffic(graph: Adjacency, members: readonly number[], gain: (edge: number) => number): LoopTraffic {
  return loopPattern(graph, members)(gain)
}

/** One node taken out of the equations. Shares of one node's records that go to another lie in a list, by place. */
interface Step {
  readonly node: number
  /** Place of the share of its own records that comes straight back, where any does. */
  readonly back: number | undefined
  /** Places of what comes to it, and of what it sends, from and to the nodes that were still there. */
  readonly feeders: readonly number[]
  readonly readers: readonly number[]
  /** Places of the shares from each feeder to each reader, to which what went through the node is added. */
  readonly fills: readonly number[]
}

/** Which node each share is from and to, by place. */
interface Ends {
  readonly from: readonly number[]
  readonly to: readonly number[]
}

/**
 * Takes the nodes of a loop out of the equations one by one, those with few edges first: what went through the node goes
 * straight from its feeders to its readers. Which places that touches does not depend on the gains, so it is found once for
 * all of them. @throws LOOP_TOO_LARGE where so many edges cross that this would not end in reasonable time
 */
export function loopPattern(graph: Adjacency, members: readonly number[]): LoopPattern {
  const ends: { from: number[]; to: number[] } = { from: [], to: [] }
  const out = new Map(members.map((node): [number, number[]] => [node, []]))
  const into = new Map(members.map((node): [number, number[]] => [node, []]))
  const places = new Map<number, number>()
  const keyOf = (from: number, to: number): number => from * graph.nodes.length + to
  const placeOf = (from: number, to: number): number => {
    const known = places.get(keyOf(from, to))
    if (known !== undefined) return known
    const place = ends.from.push(from) - 1
    ends.to.push(to)
    places.set(keyOf(from, to), place)
    out.get(from)!.push(place)
    into.get(to)!.push(place)
    return place
  }
  const edges = members.flatMap((node) => graph.out(node).filter((edge) => out.has(graph.to(edge))))
  const first = edges.map((edge) => placeOf(graph.from(edge), graph.to(edge)))
  const size = (node: number): number => out.get(node)!.length * into.get(node)!.length
  const order = [...members].sort((a, b) => size(a) - size(b))
  const gone = new Set<number>()
  let fill = 0
  const steps = order.map((node): Step => {
    gone.add(node)
    const feeders = into.get(node)!.filter((place) => !gone.has(ends.from[place]!))
    const readers = out.get(node)!.filter((place) => !gone.has(ends.to[place]!))
    fill += feeders.length * readers.length
    if (fill > MAX_FILL) throw new MillraceError('LOOP_TOO_LARGE', { nodes: members.length, node: graph.id(node) })
    const fills = feeders.flatMap((feeder) => readers.map((reader) => placeOf(ends.from[feeder]!, ends.to[reader]!)))
    return { node, back: places.get(keyOf(node, node)), feeders, readers, fills }
  })
  return (gain) => {
    const shares = new Float64Array(ends.to.length)
    first.forEach((place, index) => void (shares[place]! += gain(edges[index]!)))
    const turns = eliminate(steps, shares)
    return turns === 'grows'
      ? { grows: true, solve: (rate) => flood(rate, members) }
      : { grows: false, solve: (rate) => substitute(steps, ends, { shares, turns, rate }) }
  }
}

/**
 * Adds to the shares what goes through each node, and gives for each step 1 / (1 - what comes straight back). All these
 * pivots are positive exactly if the loop's records die out, so no pivoting is needed and growth shows.
 */
function eliminate(steps: readonly Step[], shares: Float64Array): Float64Array | 'grows' {
  const turns = new Float64Array(steps.length)
  for (const [index, { back, feeders, readers, fills }] of steps.entries()) {
    const left = back === undefined ? 1 : 1 - shares[back]!
    if (left <= 1e-12) return 'grows'
    turns[index] = 1 / left
    let next = 0
    for (const feeder of feeders) {
      const through = shares[feeder]! / left
      for (const reader of readers) shares[fills[next++]!]! += through * shares[reader]!
    }
  }
  return turns
}

interface Eliminated {
  readonly shares: Float64Array
  readonly turns: Float64Array
  readonly rate: Float64Array
}

function substitute(steps: readonly Step[], { from, to }: Ends, { shares, turns, rate }: Eliminated): void {
  steps.forEach(({ node, readers }, index) => {
    for (const reader of readers) rate[to[reader]!]! += times(rate[node]! * turns[index]!, shares[reader]!)
  })
  for (let index = steps.length - 1; index >= 0; index--) {
    const { node, feeders } = steps[index]!
    let sum = rate[node]!
    for (const feeder of feeders) sum += times(rate[from[feeder]!]!, shares[feeder]!)
    rate[node] = sum * turns[index]!
  }
}

function flood(rate: Float64Array, members: readonly number[]): void {
  if (members.every((node) => rate[node] === 0)) return
  for (const node of members) rate[node] = Infinity
}
