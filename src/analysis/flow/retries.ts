import type { GraphData } from '../../graph/types.ts'
import { components } from '../components.ts'
import { type FlowOptions, type Model } from './model.ts'
import { steadyModel } from './overflow.ts'
import { predict } from './predict.ts'
import { loopTraffic, times } from './traffic.ts'

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
 * Cost: some sixty solutions of the loop's own equations, for each loop.
 */
export function retryLoops(graph: GraphData, options: FlowOptions = {}): readonly RetryLoop[] {
  const model = steadyModel(graph, options)
  const { into } = predict(model)
  const parts = components(model.graph)
  return parts.members.flatMap((members, index) => {
    const inside = new Set(members)
    const retries = members
      .flatMap((node) => model.graph.out(node))
      .filter((edge) => inside.has(model.graph.to(edge)) && model.graph.edge(edge).pathType === 'retry')
    return parts.isLoop(index) && retries.length > 0 ? [loopOf(model, into, { members, inside, retries })] : []
  })
}

interface Loop {
  readonly members: readonly number[]
  readonly inside: ReadonlySet<number>
  readonly retries: readonly number[]
}

function loopOf(model: Model, into: Float64Array, loop: Loop): RetryLoop {
  const { graph, shares } = model
  const outside = enteringRates(model, into, loop)
  const now = turn(model, loop, outside, 1)
  const most = retriedByNode(model, loop.retries).reduce((largest, { share }) => {
    return share > 0 ? Math.max(largest, 1 / share) : largest
  }, 0)
  const storm = most === 0 ? undefined : stormOf(model, loop, outside, most)
  return {
    nodes: loop.members.map((node) => graph.id(node)),
    retries: loop.retries.map((edge) => ({ edge, ratio: shares[edge]?.gain ?? 0 })),
    entering: outside.reduce((sum, rate) => sum + rate, 0),
    gain: now.gain,
    load: now.gain >= 1 ? Infinity : 1 / (1 - now.gain),
    stormGain: storm?.gain ?? 1,
    stormFactor: storm?.factor ?? Infinity,
    ...(storm?.node === undefined ? {} : { stormNode: graph.id(storm.node) }),
  }
}

/** What comes to each member from outside the loop under the predicted flow. */
function enteringRates({ graph, shares }: Model, into: Float64Array, { members, inside }: Loop): Float64Array {
  const outside = new Float64Array(graph.nodes.length)
  for (const node of members) {
    for (const edge of graph.in(node)) {
      const from = graph.from(edge)
      if (!inside.has(from)) outside[node]! += times(into[from]!, shares[edge]?.gain ?? 0)
    }
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
function turn(model: Model, { members, retries }: Loop, outside: Float64Array, factor: number): Turn {
  const { graph, services } = model
  const into = Float64Array.from(outside)
  loopTraffic(graph, members, multiplied(model, retries, factor)).solve(into)
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
function multiplied(model: Model, retries: readonly number[], factor: number): (edge: number) => number {
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
    return gain * (retries.includes(edge) ? grown : kept)
  }
}

/** The share of its records that each node sends back. */
function retriedByNode({ graph, shares }: Model, retries: readonly number[]): { node: number; share: number }[] {
  const byNode = new Map<number, number>()
  for (const edge of retries) {
    const node = graph.from(edge)
    byNode.set(node, (byNode.get(node) ?? 0) + (shares[edge]?.gain ?? 0))
  }
  return [...byNode].map(([node, share]) => ({ node, share }))
}

function isStorm({ gain, load }: Turn): boolean {
  return gain >= 1 - 1e-9 || load >= 1 - 1e-9
}

/** The least factor at which a stage of the loop is full or nothing leaves it, found by bisection. */
function stormOf(
  model: Model,
  loop: Loop,
  outside: Float64Array,
  most: number,
): { factor: number; gain: number; node?: number } {
  let calm = 0
  let storm = most
  if (!isStorm(turn(model, loop, outside, most))) return { factor: Infinity, gain: 1 }
  for (let step = 0; step < STEPS; step++) {
    const middle = (calm + storm) / 2
    if (isStorm(turn(model, loop, outside, middle))) storm = middle
    else calm = middle
  }
  const at = turn(model, loop, outside, storm)
  return { factor: storm, gain: at.gain, ...(at.load >= 1 - 1e-9 && at.node !== -1 ? { node: at.node } : {}) }
}
