import { withCores } from '../../graph/cores.ts'
import type { ResolvedGraph } from '../../graph/resolve.ts'
import type { GraphData } from '../../graph/types.ts'
import { resolved } from '../resolved.ts'
import { refuseBadFigures } from './figures.ts'
import { windowRates } from './residence.ts'
import { servicesOf, type NodeService } from './service.ts'
import { sharesOf, type EdgeShare } from './shares.ts'
import { times } from './times.ts'
import { traffic, type Traffic } from './traffic.ts'

/** What all predictions take. */
export interface FlowOptions {
  /** Cores that `cpu` stages share. Default: no limit. */
  readonly cores?: number
  /** Core time that the runtime takes for each record at each stage, in ms; or by the ids of stages, as `overheadOf` gives it. Default: 0. */
  readonly overheadMs?: number | Readonly<Record<string, number>>
}

/** Something that sends records of its own accord: a source, or a buffer that parts the flow. */
export interface Origin {
  readonly node: number
  /** Most that it sends, in records per second, whatever the rest of the graph takes. Of a buffer: what comes to it. */
  readonly most: number
  /** Of a source: what it would send if neither its window nor the graph held it. */
  readonly offered: number
  /** Of a source: the rate that it declares. */
  readonly rate?: number | undefined
  /** Of a source: most that its window lets it send. */
  readonly window: number
  /** Its share where several origins meet: its workers, because a reader takes its lanes in turn. */
  readonly weight: number
  /** It sends no more than comes to it. Of a source: no. */
  readonly follows: boolean
  /** Which of its own options says `most`. */
  readonly by: 'rate' | 'rateLimit' | 'window' | 'nothing'
}

/** A graph as the equations see it. */
export interface Model {
  readonly graph: ResolvedGraph
  readonly shares: readonly EdgeShare[]
  readonly services: readonly NodeService[]
  readonly cores: number
  readonly traffic: Traffic
  readonly sources: readonly Origin[]
  /**
   * Buffers that part the flow, by number: what comes to them does not depend on what leaves them. Those that drop; in a
   * forecast, those that are neither empty nor full.
   */
  readonly parting: ReadonlySet<number>
  /** How much of a stage that several feed a buffer gets, beside the workers of sources. */
  readonly weight: (node: number) => number
}

/** @throws GRAPH_INVALID where a figure is no number, or negative; LOOP_TOO_LARGE */
export function modelOf(graph: GraphData, { cores = Infinity, overheadMs = 0 }: FlowOptions = {}): Model {
  refuseBadFigures(graph)
  const found = resolved(cores === Infinity ? graph : withCores(graph, cores))
  const shares = sharesOf(found)
  const services = servicesOf(found, shares, overheadMs)
  const parting = new Set(droppingBuffers(found))
  const traffic = cutTraffic(found, shares, parting)
  const sources = found.nodes.flatMap((node, number) => (node.kind === 'source' ? [sourceOf(found, number)] : []))
  const whole = parting.size === 0 ? traffic : cutTraffic(found, shares, NONE)
  const windows = windowRates({ graph: found, shares, services, traffic: whole }, sources)
  return {
    graph: found,
    shares,
    services,
    cores,
    traffic,
    sources: sources.map((source, index) => withinWindow(source, windows[index]!)),
    parting,
    weight: () => 1,
  }
}
const NONE: ReadonlySet<number> = new Set()

function withinWindow(source: Origin, window: number): Origin {
  return window < source.most ? { ...source, most: window, window, by: 'window' } : { ...source, window }
}

/** Buffers whose policy drops what does not fit, by number. */
export function droppingBuffers({ nodes }: ResolvedGraph): readonly number[] {
  return nodes.flatMap(({ kind, whenFull }, node) => (kind === 'buffer' && whenFull !== 'block' ? [node] : []))
}

/** The traffic equations, with nothing leaving the nodes of `cut`. */
export function cutTraffic(graph: ResolvedGraph, shares: readonly EdgeShare[], cut: ReadonlySet<number>): Traffic {
  return traffic(graph, (edge) => (cut.has(graph.from(edge)) ? 0 : (shares[edge]?.gain ?? 0)))
}

/** The same with other buffers that part the flow. */
export function withParting(model: Model, parting: ReadonlySet<number>): Model {
  return { ...model, parting, traffic: cutTraffic(model.graph, model.shares, parting) }
}

function sourceOf(graph: ResolvedGraph, number: number): Origin {
  const { rate, rateLimit = Infinity, workers } = graph.node(number)
  const most = Math.min(rate ?? Infinity, rateLimit)
  const by = most === Infinity ? 'nothing' : most === rate ? 'rate' : 'rateLimit'
  return {
    node: number,
    most,
    offered: most,
    rate,
    window: Infinity,
    weight: workers,
    follows: false,
    by,
  }
}

/** What comes to each node from outside when each origin sends at its rate, ready for `traffic.solve`. */
export function outsideOf(model: Model, origins: readonly Origin[], rates: readonly number[]): Float64Array {
  const outside = new Float64Array(model.graph.nodes.length)
  origins.forEach(({ node }, index) => {
    const rate = rates[index] ?? 0
    if (model.graph.node(node).kind === 'source') outside[node]! += rate
    else inject(model, node, rate, outside)
  })
  return outside
}

/** Adds what a node sends over its edges, for each record that it passes on, to the nodes they lead to. */
export function inject(
  { graph, shares }: Pick<Model, 'graph' | 'shares'>,
  node: number,
  rate: number,
  outside: Float64Array,
): void {
  for (const edge of graph.out(node)) outside[graph.to(edge)]! += times(rate, shares[edge]?.gain ?? 0)
}

/** Nodes from which records come to one of `nodes`, these included, without passing a buffer that parts the flow. */
export function feeders(model: Model, nodes: readonly number[]): ReadonlySet<number> {
  const seen = new Set<number>()
  for (const node of nodes) climb(model, node, (feeder) => !seen.has(feeder) && seen.add(feeder).size > 0)
  return seen
}

/** Nodes that records from `start` come to, these included; buffers that drop are the last on their way. */
export function flowsTo({ graph, shares, parting }: Model, start: readonly number[]): ReadonlySet<number> {
  const seen = new Set(start)
  for (const node of seen) {
    if (parting.has(node)) continue
    for (const edge of graph.out(node)) if ((shares[edge]?.gain ?? 0) > 0) seen.add(graph.to(edge))
  }
  return seen
}

/** Calls `enter` with a node and all from which records come to it, up to where it gives false, and to buffers that part the flow. */
export function climb({ graph, shares, parting }: Model, node: number, enter: (feeder: number) => boolean): void {
  if (!enter(node)) return
  const open = [node]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const edge of graph.in(next)) {
      const from = graph.from(edge)
      if ((shares[edge]?.gain ?? 0) > 0 && !parting.has(from) && enter(from)) open.push(from)
    }
  }
}
