import type { GraphData, NodeKind } from '../../graph/types.ts'
import { assumptionsOf } from './assumptions.ts'
import { bottleneckOf } from './bottleneck.ts'
import { buffersOf, type BufferFlow } from './buffers.ts'
import { clusterFlows, partFlows, type ClusterFlow } from './clusters.ts'
import { coreLoad } from './filling.ts'
import type { Limit } from './limits.ts'
import { feeders, flowsTo, type FlowOptions, type Model } from './model.ts'
import { steadyModel } from './overflow.ts'
import { named, predict, type NamedLimit, type Prediction } from './predict.ts'
import { rateAt } from './service.ts'
import { times } from './times.ts'

/** What keeps a node from getting more, and where that lies seen from the node. */
export interface NodeLimit extends NamedLimit {
  /** `below`: it is held up by back-pressure. `above`: no more comes to it. `beside`: a branch of the same sources is full. */
  readonly where: 'here' | 'below' | 'above' | 'beside'
}

/** One node under the predicted flow. Rates are records per second. */
export interface NodeFlow {
  readonly id: string
  readonly kind: NodeKind
  /** Records that it takes; of a source, records that it makes. */
  readonly in: number
  /** Records that it hands on, all edges together: what two edges carry counts twice. */
  readonly out: number
  /** What it would take if nothing limited anything. */
  readonly offered: number
  /** What it can take at most; infinite where it declares nothing, and for nodes without threads. */
  readonly serviceRate: number
  /** `in / serviceRate`, 0 to 1. */
  readonly utilisation: number
  readonly limits: readonly NodeLimit[]
}

/** What flows over one edge. */
export interface EdgeFlow {
  /** Index into `graph.edges`. */
  readonly index: number
  readonly from: string
  readonly to: string
  readonly rate: number
  /** The edge's own `rate` option, where it has one. */
  readonly declared?: number
}

/** What one source makes, and what holds it back. */
export interface SourceFlow {
  readonly id: string
  /** Its declared rate, at most its `rateLimit`; infinite where it declares none. */
  readonly offered: number
  /** What it can send. */
  readonly rate: number
  readonly limit: NamedLimit
}

/** The steady flow of a graph. */
export interface Simulation {
  readonly nodes: readonly NodeFlow[]
  readonly edges: readonly EdgeFlow[]
  readonly sources: readonly SourceFlow[]
  readonly buffers: readonly BufferFlow[]
  readonly clusters: readonly ClusterFlow[]
  /** The same of the parts between buffers with `via`; empty where there are none. */
  readonly parts: readonly ClusterFlow[]
  /** Records per second of all sources together. */
  readonly throughput: number
  /** What limits what comes out, or the stage with the highest utilisation where nothing does. The same that `forecast` names. */
  readonly bottleneck: (NamedLimit & { readonly saturated: boolean }) | undefined
  /** Cores that `cpu` stages keep busy, and that they may use. */
  readonly cores: { readonly used: number; readonly available: number }
  /** Loops that send back at least as many records as they take: with them no rate can be kept up. */
  readonly growing: readonly (readonly string[])[]
  /** What the graph does not say, and what was taken instead. */
  readonly assumptions: readonly string[]
}

/**
 * The steady flow through a graph: every rate, with back-pressure. A full stage slows the sources above it, nothing is lost
 * but what buffers drop by their policy. `docs/analysis.md` has the equations.
 * Cost: linear in nodes and edges, for each limit that is met. @throws LOOP_TOO_LARGE
 */
export function simulate(graph: GraphData, options: FlowOptions = {}): Simulation {
  const model = steadyModel(graph, options)
  const prediction = predict(model)
  const limiting = bottleneckOf(model, prediction)
  const edges = model.graph.edges.map((index) => edgeFlow(model, prediction, index))
  return {
    nodes: nodeFlows(model, prediction, edges),
    edges,
    sources: model.sources.map(({ node, offered }, index) => ({
      id: model.graph.id(node),
      offered,
      rate: prediction.rates[index] ?? 0,
      limit: named(model, prediction.limits[index] ?? { by: 'nothing' }),
    })),
    buffers: buffersOf(model, prediction),
    clusters: clusterFlows(graph, model, prediction),
    parts: partFlows(graph, model, prediction),
    throughput: prediction.throughput,
    bottleneck: limiting === undefined ? undefined : { ...named(model, limiting), saturated: limiting.saturated },
    cores: { used: coreLoad(model, prediction.into), available: model.cores },
    growing: model.traffic.growing.map((nodes) => nodes.map((node) => model.graph.id(node))),
    assumptions: assumptionsOf(model),
  }
}

function edgeFlow({ graph, shares }: Model, { leaving }: Prediction, index: number): EdgeFlow {
  const { from, to, rate: declared } = graph.edge(index)
  const rate = times(leaving[graph.from(index)] ?? 0, shares[index]?.gain ?? 0)
  return { index, from, to, rate, ...(declared === undefined ? {} : { declared }) }
}

function nodeFlows(model: Model, prediction: Prediction, edges: readonly EdgeFlow[]): readonly NodeFlow[] {
  const { graph, services } = model
  const out = new Float64Array(graph.nodes.length)
  for (const { index, rate } of edges) out[graph.from(index)]! += rate
  const limits = nodeLimits(model, prediction)
  return graph.nodes.map(({ id, kind }, node) => {
    const into = prediction.into[node] ?? 0
    const serviceRate = rateAt(services, node)
    return {
      id,
      kind,
      in: into,
      out: out[node] ?? 0,
      offered: prediction.offered[node] ?? 0,
      serviceRate,
      utilisation: serviceRate === Infinity ? 0 : Math.min(1, into / serviceRate),
      limits: limits[node] ?? [],
    }
  })
}

/** For each node the limits of the origins whose records come to it, each limit once. */
function nodeLimits(model: Model, { origins, limits }: Prediction): readonly (readonly NodeLimit[])[] {
  const { graph } = model
  const found: NodeLimit[][] = graph.nodes.map(() => [])
  const groups = new Map<string, { limit: Limit; origins: number[] }>()
  origins.forEach(({ node }, index) => {
    const limit = limits[index] ?? { by: 'nothing' }
    const key = `${limit.by} ${limit.node ?? ''}`
    const group = groups.get(key) ?? { limit, origins: [] }
    group.origins.push(node)
    groups.set(key, group)
  })
  for (const { limit, origins: from } of groups.values()) {
    const at = limit.node ?? -1
    const below = at === -1 ? new Set<number>() : flowsTo(model, [at])
    const above = at === -1 ? new Set<number>() : feeders(model, [at])
    for (const node of flowsTo(
      model,
      from.flatMap((origin) => firstNodes(model, origin)),
    )) {
      const where = node === at ? 'here' : above.has(node) ? 'below' : below.has(node) || at === -1 ? 'above' : 'beside'
      found[node]?.push({ ...named(model, limit), where })
    }
  }
  return found
}

/** A source gets its own records; what a parting buffer sends is first met by the nodes below it. */
function firstNodes({ graph }: Model, origin: number): readonly number[] {
  return graph.node(origin).kind === 'source' ? [origin] : graph.out(origin).map((edge) => graph.to(edge))
}
