import type { GraphData } from '../../graph/types.ts'
import { components } from '../components.ts'
import { isStage } from '../loops/lanes.ts'
import { walk } from '../structure.ts'
import type { Measurements, NodeMeasurement } from '../types.ts'
import { measuredOf, type Measured } from './measured.ts'

/** Who waits for whom, over which edge. */
export interface Wait {
  readonly node: string
  readonly waitsFor: string
  /** Index into `graph.edges`: the edge on which it waits for credit. */
  readonly edge: number
  /** Share of its workers' time, 0 to 1. */
  readonly share: number
}

/** What the time of one stage's workers goes into, and what they are mostly doing. */
export interface StageState {
  readonly node: string
  readonly busy: number
  readonly starved: number
  readonly blocked: number
  readonly limited: number
  readonly mostly: 'busy' | 'starved' | 'blocked' | 'limited'
}

/** Who works, who waits, and for whom. */
export interface Blame {
  /** The stage that limits what comes out: it is busy (or limited), and nobody below it holds it up. */
  readonly root: string | undefined
  /** From the stage that waits most, down to the root. Empty where nobody waits for credit. */
  readonly chain: readonly Wait[]
  readonly stages: readonly StageState[]
  /** Every wait for credit, the longest first. */
  readonly waits: readonly Wait[]
}

/** A wait below this share of the time is noise. */
const HARDLY = 0.05
/** A stage that is busy for so much of its time has no more to give. */
const FULL = 0.9

/**
 * Finds the stage that holds the others up: from the stage that is blocked most, along the edge on which it waits most, to
 * the first stage that is not itself blocked more than busy, and on to the last stage below it that is full. Where nobody is
 * blocked, the busiest stage is where it begins.
 * Cost: linear in nodes and edges.
 */
export function blame(graph: GraphData, measurements: Measurements): Blame {
  const measured = measuredOf(graph, measurements)
  const waits = waitsOf(measured)
  const stages = graph.nodes.flatMap(({ id }, node) => {
    const counts = measured.node(node)
    return counts === undefined ? [] : [stateOf(id, counts)]
  })
  const chain = chainOf(measured, waits)
  const end = chain.at(-1)?.waitsFor ?? busiest(stages)
  return { root: end === undefined ? undefined : lastFull(measured, end), chain, stages, waits }
}

function stateOf(node: string, { busy, starved, blocked, limited }: NodeMeasurement): StageState {
  const shares = { busy, starved, blocked, limited }
  const order = ['busy', 'blocked', 'limited', 'starved'] as const
  const mostly = order.reduce((most, name) => (shares[name] > shares[most] ? name : most))
  return { node, ...shares, mostly }
}

function waitsOf(measured: Measured): readonly Wait[] {
  const { graph } = measured
  return graph.edges
    .flatMap((edge): Wait[] => {
      const share = measured.edge(edge).blockedShare
      if (share < HARDLY || !isStage(graph.node(graph.from(edge)).kind)) return []
      return [{ node: graph.id(graph.from(edge)), waitsFor: nextStage(measured, edge), edge, share }]
    })
    .sort((a, b) => b.share - a.share)
}

/** The stage that reads the lane: through nodes without threads, the way on which most records wait. */
function nextStage({ graph, edge }: Measured, first: number): string {
  let node = graph.to(first)
  for (const seen = new Set<number>(); !isStage(graph.node(node).kind) && !seen.has(node);) {
    seen.add(node)
    const fullest = graph
      .out(node)
      .reduce((most, next) => (fill(edge(next)) > fill(edge(most)) ? next : most), graph.out(node)[0] ?? -1)
    if (fullest === -1) break
    node = graph.to(fullest)
  }
  return graph.id(node)
}

function fill({ queued, capacity }: { readonly queued: number; readonly capacity: number }): number {
  return capacity === 0 ? 0 : queued / capacity
}

function chainOf({ graph, node }: Measured, waits: readonly Wait[]): readonly Wait[] {
  const chain: Wait[] = []
  const seen = new Set<string>()
  for (let next = waits[0]; next !== undefined;) {
    chain.push(next)
    seen.add(next.node)
    const at = next.waitsFor
    const counts = node(graph.number(at))
    const heldUp = counts !== undefined && counts.blocked > Math.max(HARDLY, counts.busy, counts.limited)
    next = heldUp && !seen.has(at) ? waits.find((wait) => wait.node === at) : undefined
  }
  return chain
}

/**
 * While a buffer still fills, a stage before it may be full as well as one behind it: what comes out is limited by the last
 * one on the way.
 */
function lastFull({ graph, node }: Measured, from: string): string {
  const parts = components(graph)
  const below = [...walk(graph, [graph.number(from)], 'down')]
  const full = below.filter((each) => (node(each)?.busy ?? 0) >= FULL)
  const last = full.reduce((best, each) => (parts.of(each) > parts.of(best) ? each : best), graph.number(from))
  return graph.id(last)
}

function busiest(stages: readonly StageState[]): string | undefined {
  const most = stages.reduce<StageState | undefined>((best, stage) => {
    return best === undefined || stage.busy + stage.limited > best.busy + best.limited ? stage : best
  }, undefined)
  return most?.node
}
