import { resolveNode } from '../graph/resolve.ts'
import type { GraphData } from '../graph/types.ts'
import { simulate } from './flow/simulate.ts'
import { changeGraph } from './flow/what-if.ts'
import { drift } from './live/drift.ts'
import { deadlock } from './loops/deadlock.ts'
import { type Objective, objectives, type ObjectiveOptions } from './objectives.ts'

/** One option that should be another, and why. */
export interface OptionProposal {
  readonly node?: string
  /** Index into `graph.edges`. */
  readonly edge?: number
  readonly option: string
  readonly before: number | undefined
  readonly after: number
  readonly why: string
}

/** More workers than this are not proposed. */
const MOST_WORKERS = 256
const MOST_STEPS = 64

/**
 * What to change so that a graph tells the truth (what was measured in place of what is declared), no loop blocks itself, no
 * stage is full, and objectives hold. Some simulations. @throws LOOP_TOO_LARGE
 */
export function proposals(
  graph: GraphData,
  wanted: readonly Objective[] = [],
  options: ObjectiveOptions = {},
): readonly OptionProposal[] {
  const found = [...driftProposals(graph, options), ...loopProposals(graph)]
  return [...found, ...workerProposals(proposed(graph, found), wanted, options)]
}

/** The graph with proposals taken. */
export function proposed(graph: GraphData, found: readonly OptionProposal[]): GraphData {
  const nodes: Record<string, Record<string, number>> = {}
  const edges: Record<number, Record<string, number>> = {}
  for (const { node, edge, option, after } of found) {
    if (node !== undefined) nodes[node] = { ...nodes[node], [option]: after }
    if (edge !== undefined) edges[edge] = { ...edges[edge], [option]: after }
  }
  return changeGraph(graph, { nodes, edges })
}

function driftProposals(graph: GraphData, { measurements }: ObjectiveOptions): OptionProposal[] {
  if (measurements === undefined) return []
  const off = drift(graph, measurements).filter(({ exceeds }) => exceeds)
  return off.map(({ node, edge, figure, declared, measured }) => ({
    ...(node === undefined ? {} : { node }),
    ...(edge === undefined ? {} : { edge }),
    option: figure,
    before: declared,
    after: Number(measured.toPrecision(3)),
    why: 'this was measured',
  }))
}

function loopProposals(graph: GraphData): OptionProposal[] {
  return deadlock(graph).loops.flatMap(({ cycle, enlarge }): OptionProposal[] => {
    if (enlarge === undefined) return []
    const why = `the loop ${cycle.nodes.join(' → ')} must hold all that may be in it`
    const { buffer, bufferCapacity, edge, capacity, minDemand, laneBytes } = enlarge
    const before = (option: 'maxDemand' | 'minDemand' | 'laneBytes'): number | undefined => graph.edges[edge]?.[option]
    const size: OptionProposal =
      buffer === undefined || bufferCapacity === undefined
        ? { edge, option: 'maxDemand', before: before('maxDemand'), after: capacity, why }
        : { node: buffer, option: 'capacity', before: capacityOf(graph, buffer), after: bufferCapacity, why }
    const more = Object.entries({ minDemand, laneBytes }).flatMap(([option, after]): OptionProposal[] =>
      after === undefined ? [] : [{ edge, option, before: before(option as 'minDemand'), after, why }],
    )
    return [size, ...more]
  })
}

function capacityOf({ nodes }: GraphData, buffer: string): number | undefined {
  return nodes.find(({ id }) => id === buffer)?.capacity
}

/** Workers for the stage that limits, again and again, as long as that helps. */
function workerProposals(graph: GraphData, wanted: readonly Objective[], options: ObjectiveOptions): OptionProposal[] {
  const { measurements: _, ...flow } = options
  const workers = new Map<string, number>()
  let now = graph
  for (let step = 0; step < MOST_STEPS; step++) {
    const { bottleneck, nodes, throughput } = simulate(now, flow)
    const isKept = objectives(now, wanted, flow).every(({ isKept, value }) => isKept || value === undefined)
    if (bottleneck?.node === undefined || bottleneck.by !== 'stage' || (isKept && !bottleneck.saturated)) break
    const stage = nodes.find(({ id }) => id === bottleneck.node)!
    const node = now.nodes.find(({ id }) => id === bottleneck.node)!
    const { concurrency } = resolveNode(node)
    // Of a service rate, workers are a part already. A stage that is just as fast as what is offered is full too.
    if (node.serviceRate !== undefined) break
    const enough = Number.isFinite(stage.offered) ? (concurrency * stage.offered) / stage.serviceRate : concurrency
    const after = Math.min(MOST_WORKERS, Math.max(concurrency, Math.floor(enough + 1e-9)) + 1)
    const next = changeGraph(now, { nodes: { [node.id]: { concurrency: after } } })
    if (after === concurrency || (bottleneck.saturated && simulate(next, flow).throughput <= throughput)) break
    workers.set(node.id, after)
    now = next
  }
  return [...workers].map(([node, after]) => ({
    node,
    option: 'concurrency',
    before: resolveNode(graph.nodes.find(({ id }) => id === node)!).concurrency,
    after,
    why: 'it limits the graph',
  }))
}
