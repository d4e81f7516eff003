import { MillraceError } from '../../errors.ts'
import type { ResolvedGraph } from '../../graph/resolve.ts'
import { LoopShares } from './loop-shares.ts'
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
export function loopTraffic(
  graph: ResolvedGraph,
  members: readonly number[],
  gain: (edge: number) => number,
): LoopTraffic {
  return loopPattern(graph, members)(gain)
}

/**
 * Nodes in the order in which they are taken out of the equations. Shares of one node's records that go to another lie in a
 * list, by place; places are listed flat, those of step `i` from `…End[i - 1]` to `…End[i]`.
 */
interface Steps {
  readonly node: Int32Array
  /** Place of the share of its own records that comes straight back, or -1. */
  readonly back: Int32Array
  /** Places of what comes to it, and of what it sends, from and to the nodes that were still there. */
  readonly feeders: Int32Array
  readonly feedersEnd: Int32Array
  readonly readers: Int32Array
  readonly readersEnd: Int32Array
  /** Places of the shares from each feeder to each reader, to which what went through the node is added. */
  readonly fills: Int32Array
  /** Which node each share is from and to, by place. */
  readonly from: Int32Array
  readonly to: Int32Array
}

/**
 * Takes the nodes of a loop out of the equations one by one, those with few edges first: what went through the node goes
 * straight from its feeders to its readers. Which places that touches does not depend on the gains, so it is found once for
 * all of them. @throws LOOP_TOO_LARGE where so many edges cross that this would not end in reasonable time
 */
export function loopPattern(graph: ResolvedGraph, members: readonly number[]): LoopPattern {
  const shares = new LoopShares(members)
  const edges = members.flatMap((node) => graph.out(node).filter((edge) => shares.has(graph.to(edge))))
  const first = edges.map((edge) => shares.place(graph.from(edge), graph.to(edge)))
  const steps = stepsOf(graph, members, shares)
  return (gain) => {
    const share = new Float64Array(steps.to.length)
    first.forEach((place, index) => void (share[place]! += gain(edges[index]!)))
    const turns = eliminate(steps, share)
    return turns === 'grows'
      ? { grows: true, solve: (rate) => flood(rate, members) }
      : { grows: false, solve: (rate) => substitute(steps, { share, turns, rate }) }
  }
}

function stepsOf(graph: ResolvedGraph, members: readonly number[], shares: LoopShares): Steps {
  const sizes = new Map(members.map((node) => [node, shares.out(node).length * shares.into(node).length]))
  const node = Int32Array.from([...members].sort((a, b) => sizes.get(a)! - sizes.get(b)!))
  const back = new Int32Array(node.length)
  const feedersEnd = new Int32Array(node.length)
  const readersEnd = new Int32Array(node.length)
  const feeders: number[] = []
  const readers: number[] = []
  const fills: number[] = []
  const gone = new Set<number>()
  node.forEach((each, step) => {
    gone.add(each)
    const into = shares.into(each).filter((place) => !gone.has(shares.from[place]!))
    const out = shares.out(each).filter((place) => !gone.has(shares.to[place]!))
    if (fills.length + into.length * out.length > MAX_FILL) {
      throw new MillraceError('LOOP_TOO_LARGE', { nodes: members.length, node: graph.id(each) })
    }
    for (const place of into) feeders.push(place)
    for (const place of out) readers.push(place)
    for (const feeder of into)
      for (const reader of out) fills.push(shares.place(shares.from[feeder]!, shares.to[reader]!))
    back[step] = shares.find(each, each) ?? -1
    feedersEnd[step] = feeders.length
    readersEnd[step] = readers.length
  })
  return {
    node,
    back,
    feeders: Int32Array.from(feeders),
    feedersEnd,
    readers: Int32Array.from(readers),
    readersEnd,
    fills: Int32Array.from(fills),
    from: Int32Array.from(shares.from),
    to: Int32Array.from(shares.to),
  }
}

/**
 * Adds to the shares what goes through each node, and gives for each step 1 / (1 - what comes straight back). All these
 * pivots are positive exactly if the loop's records die out, so no pivoting is needed and growth shows.
 */
function eliminate(steps: Steps, share: Float64Array): Float64Array | 'grows' {
  const { back, feeders, feedersEnd, readers, readersEnd, fills } = steps
  const turns = new Float64Array(back.length)
  let next = 0
  for (let step = 0, feeder = 0; step < back.length; step++) {
    const left = back[step] === -1 ? 1 : 1 - share[back[step]!]!
    if (left <= 1e-12) return 'grows'
    turns[step] = 1 / left
    const firstReader = step === 0 ? 0 : readersEnd[step - 1]!
    for (; feeder < feedersEnd[step]!; feeder++) {
      const through = share[feeders[feeder]!]! / left
      for (let reader = firstReader; reader < readersEnd[step]!; reader++) {
        share[fills[next++]!]! += through * share[readers[reader]!]!
      }
    }
  }
  return turns
}

interface Eliminated {
  readonly share: Float64Array
  readonly turns: Float64Array
  readonly rate: Float64Array
}

function substitute(steps: Steps, { share, turns, rate }: Eliminated): void {
  const { node, feeders, feedersEnd, readers, readersEnd, from, to } = steps
  for (let step = 0, reader = 0; step < node.length; step++) {
    const leaving = rate[node[step]!]! * turns[step]!
    for (; reader < readersEnd[step]!; reader++) {
      const place = readers[reader]!
      rate[to[place]!]! += times(leaving, share[place]!)
    }
  }
  for (let step = node.length - 1, feeder = feeders.length - 1; step >= 0; step--) {
    const first = step === 0 ? 0 : feedersEnd[step - 1]!
    let sum = rate[node[step]!]!
    for (; feeder >= first; feeder--) {
      const place = feeders[feeder]!
      sum += times(rate[from[place]!]!, share[place]!)
    }
    rate[node[step]!] = sum * turns[step]!
  }
}

function flood(rate: Float64Array, members: readonly number[]): void {
  if (members.every((node) => rate[node] === 0)) return
  for (const node of members) rate[node] = Infinity
}
