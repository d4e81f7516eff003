import type { NamedLimit } from '../analysis/flow/predict.ts'
import type { NodeFlow, Simulation } from '../analysis/flow/simulate.ts'
import { explain } from '../analysis/live/explain.ts'
import type { GraphData } from '../graph/types.ts'
import type { Figures } from './figures.ts'
import { linesOf, percentText, rateText } from './text.ts'

/** What a picture points at, and what it says of it. */
export interface PointedAt {
  /** The stage that limits the graph; absent where none does. */
  readonly node?: string
  readonly sentence: string
}

/** The bottleneck as measured, else as predicted; nothing where no figures are given, or nothing is full. */
export function shownBottleneck(graph: GraphData, { simulation, measurements }: Figures): PointedAt | undefined {
  if (measurements !== undefined) {
    const { bottleneck, sentence } = explain(graph, measurements)
    return { ...(bottleneck === undefined ? {} : { node: bottleneck }), sentence }
  }
  const limit = simulation?.bottleneck
  return limit?.saturated === true ? predicted(limit, simulation!, graph) : undefined
}

function predicted({ by, node }: NamedLimit, { nodes }: Simulation, graph: GraphData): PointedAt | undefined {
  const flow = nodes.find(({ id }) => id === node)
  if (node === undefined || flow === undefined) return undefined
  const name = linesOf(graph.nodes.find(({ id }) => id === node)?.label ?? node).join(' ')
  switch (by) {
    case 'stage':
      return { node, sentence: `${name} holds everything up: it is full at ${amountText(flow)}` }
    case 'cores':
      return { node, sentence: `The cores are full, most of all with ${name}: ${rateText(flow.in)}` }
    case 'rateLimit':
      return { node, sentence: `The rate limit of ${name} holds everything up: ${rateText(flow.in)}` }
    default:
      return undefined
  }
}

function amountText({ in: taken, offered }: NodeFlow): string {
  const share = Number.isFinite(offered) && offered > 0 ? `, ${percentText(taken / offered)} of what is offered` : ''
  return `${rateText(taken)}${share}`
}
