import type { GraphData } from '../../graph/types.ts'
import { components, type Components } from '../components.ts'
import { type FlowOptions, type Model } from './model.ts'
import { steadyModel } from './overflow.ts'
import { predict } from './predict.ts'
import { loopPattern, type LoopPattern } from './loop-traffic.ts'
import { times } from './times.ts'

/** One loop under the predicted flow: how often records turn in it, and how much worse that may become. */
export interface RetryLoop {
  readonly nodes: readonly string[]
  /** Indices of the retry edges in it, and the share of its node's records that each takes. */
  readonly retries: readonly { readonly edge: number; readonly ratio: number }[]
  /** Records per second that come into the loop from outside. */
  readonly entering: number
  /** Of the records at its entries, the share that came round again. */
  readonly gain: number
  /** Work for each record that enters: `1 / (1 - gain)`. Infinite where the loop grows. */
  readonly load: number
  /**
   * The gain at which the loop can no longer keep up with what enters now: a stage in it is full, or at 1 nothing leaves any
   * more. From there on retries crowd out fresh records, and it does not recover by itself.
   */
  readonly stormGain: number
  /** By how much all its retry ratios may be multiplied until then, each up to 1. 1 or less: it is there already. */
  readonly stormFactor: number
  /** The stage that is full first, where one is. */
  readonly stormNode?: string
}

/** Bisection steps: the factor is found to about 1 part in 2^50. */
const STEPS = 60

/**
 * Every loop with a retry edge, in topological order. What leaves a node by other edges shrinks as its retries grow.
 * Cost: the elimination of each loop once, and some sixty passes over what it left.
 */
export function retryLoops(graph: GraphData, options: FlowOptions = {}): readonly RetryLoop[] {
  const model = steadyModel(graph, options)
  const parts = components(model.graph)
  const outside = enteringRates(model, predict(model).leaving, parts)
  const into = new Float64Array(outside.length)
  return parts.members.flatMap((members, index) => {
    const retries = members
      .flatMap((node) => model.graph.out(node))
      .filter((edge) => parts.of(model.graph.to(edge)) === index && model.graph.edge(edge).pathType === 'retry')
    if (!parts.isLoop(index) || retries.length === 0) return []
    const pattern = loopPattern(model.graph, members)
    return [loopOf(model, { members, retries: new Set(retries), pattern, outside, into })]
  })
}

interface Loop {
  readonly members: readonly number[]
  readonly retries: ReadonlySet<number>
  readonly pattern: LoopPattern
  /** By node of the whole graph, as all that follows. Records per second from outside of its loop. */
  readonly outside: Float64Array
  /** Rates that are worked on. */
  readonly into: Float64Array
}

function loopOf(model: Model, loop: Loop): RetryLoop {
  const { graph, shares } = model
  const now = turn(model, loop, 1)
  const most = retriedByNode(model, loop.retries).reduce((largest, { share }) => {
    return share > 0 ? Math.max(largest, 1 / share) : largest
  }, 0)
  const storm = most === 0 ? undefined : stormOf(model, loop, most)
  return {
    nodes: loop.members.map((node) => graph.id(node)),
    retries: [...loop.retries].map((edge) => ({ edge, ratio: shares[edge]!.gain / shares[edge]!.copies })),
    entering: loop.members.reduce((sum, node) => sum + loop.outside[node]!, 0),
    gain: now.gain,
    load: now.gain >= 1 ? Infinity : 1 / (1 - now.gain),
    stormGain: storm?.gain ?? 1,
    stormFactor: storm?.factor ?? Infinity,
    ...(storm?.node === undefined ? {} : { stormNode: graph.id(storm.node) }),
  }
}

/** What comes to each node from outside of its loop under the predicted flow. */
function enteringRates({ graph, shares }: Model, leaving: Float64Array, parts: Components): Float64Array {
  const outside = new Float64Array(graph.nodes.length)
  for (const edge of graph.edges) {
    const [from, to] = [graph.from(edge), graph.to(edge)]
    if (parts.of(from) !== parts.of(to)) outside[to]! += times(leaving[from]!, shares[edge]?.gain ?? 0)
  }
  return outside
}

interface Turn {
  readonly gain: number
  /** The member with the highest load, and that load. */
  readonly node: number
  readonly load: number
}

/** The loop's flow with all its retry ratios multiplied. */
function turn(model: Model, { members, retries, pattern, outside, into }: Loop, factor: number): Turn {
  const { services } = model
  for (const member of members) into[member] = outside[member]!
  pattern(multiplied(model, retries, factor)).solve(into)
  let node = -1
  let load = 0
  let atEntries = 0
  let fresh = 0
  for (const member of members) {
    const share = into[member]! / (services[member]?.rate ?? Infinity)
    if (share > load) {
      load = share
      node = member
    }
    const entering = outside[member] ?? 0
    if (entering === 0) continue
    atEntries += into[member]!
    fresh += entering
  }
  return { gain: atEntries === Infinity ? 1 : atEntries === 0 ? 0 : 1 - fresh / atEntries, node, load }
}

/** Gains with the retries of each node multiplied, up to all of its records; its other edges get what that leaves. */
function multiplied(model: Model, retries: ReadonlySet<number>, factor: number): (edge: number) => number {
  const { graph, shares } = model
  const byNode = new Map(
    retriedByNode(model, retries).map(({ node, share }) => {
      const grown = Math.min(factor, share === 0 ? factor : 1 / share)
      return [node, { grown, kept: share >= 1 ? 1 : (1 - share * grown) / (1 - share) }]
    }),
  )
  return (edge) => {
    const gain = shares[edge]?.gain ?? 0
    const { grown = 1, kept = 1 } = byNode.get(graph.from(edge)) ?? {}
    return gain * (retries.has(edge) ? grown : kept)
  }
}

/** The share of its records that each node sends back. */
function retriedByNode({ graph, shares }: Model, retries: ReadonlySet<number>): { node: number; share: number }[] {
  const byNode = new Map<number, number>()
  for (const edge of retries) {
    const node = graph.from(edge)
    // All its retry edges carry the same records.
    const { gain, copies } = shares[edge]!
    byNode.set(node, Math.max(byNode.get(node) ?? 0, gain / copies))
  }
  return [...byNode].map(([node, share]) => ({ node, share }))
}

function isStorm({ gain, load }: Turn): boolean {
  return gain >= 1 - 1e-9 || load >= 1 - 1e-9
}

/** The least factor at which a stage of the loop is full or nothing leaves it, found by bisection. */
function stormOf(model: Model, loop: Loop, most: number): { factor: number; gain: number; node?: number } {
  let calm = 0
  let storm = most
  if (!isStorm(turn(model, loop, most))) return { factor: Infinity, gain: 1 }
  for (let step = 0; step < STEPS; step++) {
    const middle = (calm + storm) / 2
    if (isStorm(turn(model, loop, middle))) storm = middle
    else calm = middle
  }
  const at = turn(model, loop, storm)
  return { factor: storm, gain: at.gain, ...(at.load >= 1 - 1e-9 && at.node !== -1 ? { node: at.node } : {}) }
}
