import { MillraceError } from '../../errors.ts'
import type { GraphData, GraphEdge, GraphNode } from '../../graph/types.ts'
import { unknownNode } from '../nearest.ts'
import type { FlowOptions } from './model.ts'
import { simulate, type Simulation } from './simulate.ts'

/** Options to change; `undefined` takes one away. */
export type Overlay<T> = { readonly [Option in keyof T]?: T[Option] | undefined }

/** What to change, by node id and edge index: options as the builder takes them; and the cores. */
export interface Changes {
  readonly nodes?: Readonly<Record<string, Overlay<GraphNode>>>
  readonly edges?: Readonly<Record<number, Overlay<GraphEdge>>>
  readonly cores?: number
}

/** Other figures for one node. */
export interface NodeChange {
  readonly id: string
  readonly in: { readonly before: number; readonly after: number }
  readonly utilisation: { readonly before: number; readonly after: number }
}

/** A graph with other figures beside the graph as it is. */
export interface WhatIf {
  readonly before: Simulation
  readonly after: Simulation
  readonly throughput: { readonly before: number; readonly after: number; readonly factor: number }
  /** Nodes whose rate or utilisation differs. */
  readonly nodes: readonly NodeChange[]
  /** The bottleneck is another one than before. */
  readonly bottleneckMoves: boolean
}

/** The flow with some options changed, beside the flow as it is. Two simulations. @throws NODE_UNKNOWN, EDGE_UNKNOWN */
export function whatIf(graph: GraphData, changes: Changes, options: FlowOptions = {}): WhatIf {
  const changed = changeGraph(graph, changes)
  const before = simulate(graph, options)
  const after = simulate(changed, changes.cores === undefined ? options : { ...options, cores: changes.cores })
  const factor = before.throughput === after.throughput ? 1 : after.throughput / before.throughput
  return {
    before,
    after,
    throughput: { before: before.throughput, after: after.throughput, factor },
    nodes: before.nodes.flatMap((node, index) => {
      const now = after.nodes[index]
      if (now === undefined || (now.in === node.in && now.utilisation === node.utilisation)) return []
      return [
        {
          id: node.id,
          in: { before: node.in, after: now.in },
          utilisation: { before: node.utilisation, after: now.utilisation },
        },
      ]
    }),
    bottleneckMoves:
      before.bottleneck?.node !== after.bottleneck?.node || before.bottleneck?.by !== after.bottleneck?.by,
  }
}

/** The graph with some options changed. @throws NODE_UNKNOWN, EDGE_UNKNOWN */
export function changeGraph(graph: GraphData, { nodes = {}, edges = {} }: Changes): GraphData {
  const changes = new Map(Object.entries(nodes))
  const ids = new Set(graph.nodes.map(({ id }) => id))
  for (const id of changes.keys()) if (!ids.has(id)) throw unknownNode(id, [...ids])
  for (const index of Object.keys(edges)) {
    if (graph.edges[Number(index)] === undefined) throw new MillraceError('EDGE_UNKNOWN', { edge: index })
  }
  return {
    name: graph.name,
    module: graph.module,
    clusters: graph.clusters,
    nodes: graph.nodes.map((node) => {
      const change = changes.get(node.id)
      return change === undefined ? node : overlay(node, change)
    }),
    edges: graph.edges.map((edge, index) => (edges[index] === undefined ? edge : overlay(edge, edges[index]))),
  }
}

function overlay<T extends object>(entry: T, change: Overlay<T>): T {
  const merged = Object.entries({ ...entry, ...change }).filter(([, value]) => value !== undefined)
  return Object.freeze(Object.fromEntries(merged)) as T
}
