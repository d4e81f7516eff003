import type { GraphData } from '../../graph/types.ts'
import { components } from '../components.ts'
import {
  cutTraffic,
  droppingBuffers,
  feeders,
  inject,
  modelOf,
  withParting,
  type FlowOptions,
  type Model,
} from './model.ts'
import { predict, type Prediction } from './predict.ts'
import { queueGraph, type Queue } from './queues.ts'
import { windowsOf } from './windows.ts'

/**
 * The model of the steady flow. A buffer that drops does so only once it is full, and so is all between it and the stage that
 * holds it up. Where that is more than the windows of the sources above it let on their way, the sources stop before, and it
 * is a buffer like any other. The lowest are looked at first: what waits in them cannot wait above.
 * Cost: one prediction for each buffer that never drops, and two solutions for each place where records wait below it.
 * @throws GRAPH_INVALID where a figure is no number, or negative; LOOP_TOO_LARGE
 */
export function steadyModel(graph: GraphData, options: FlowOptions = {}): Model {
  return settledModel(graph, modelOf(graph, options))
}

/** The same for a model of the graph in which stages serve at other rates. */
export function settledModel(graph: GraphData, model: Model): Model {
  const dropping = droppingBuffers(model.graph)
  if (dropping.length === 0) return model
  const { graph: withQueues, queues } = queueGraph(graph)
  const { services, ...rest } = modelOf(withQueues)
  const queued = { ...rest, cores: model.cores, services: services.map((lane, node) => model.services[node] ?? lane) }
  const order = components(queued.graph)
  const lowestFirst = [...dropping].sort((a, b) => order.of(b) - order.of(a))
  const parting = new Set(dropping)
  for (let unable: number | undefined = -1; unable !== undefined;) {
    const parted = withParting(queued, parting)
    const prediction = predict(parted)
    unable = lowestFirst.find((node) => parting.has(node) && !canDrop(parted, prediction, queues, node))
    if (unable !== undefined) parting.delete(unable)
  }
  return withParting(model, parting)
}

/** Whether the windows reach to fill the buffer, where more comes to it than leaves it. */
function canDrop(model: Model, prediction: Prediction, queues: ReadonlyMap<number, Queue>, node: number): boolean {
  if (!dropsAt(prediction, node)) return true
  const { into, leaving, rates, origins, limits } = prediction
  const own = flowFrom(model, node, leaving[node]!)
  const dropping = new Set(
    [...model.parting].filter((each) => dropsAt(prediction, each) && (each === node || own[each]! > 0)),
  )
  const holding = limits.flatMap(({ node: stage }, index) =>
    stage !== undefined && dropping.has(origins[index]!.node) ? [stage] : [],
  )
  const held = feeders(model, holding)
  const windows = windowsOf(model)
  const most = windows.above(node)
  let full = 0
  for (const [queue, { capacity }] of queues) {
    const part = queue === node ? 1 : Math.min(1, own[queue]! / into[queue]!)
    if (part > 0 && (dropping.has(queue) || held.has(queue))) full += capacity * part * windows.mass(queue, rates)
    if (full >= most) return false
  }
  return true
}

function dropsAt({ into, leaving }: Prediction, node: number): boolean {
  return into[node]! > leaving[node]! * (1 + 1e-9)
}

/** What of the records that leave a buffer comes to each node below it, what other buffers would drop included. */
function flowFrom({ graph, shares }: Model, node: number, rate: number): Float64Array {
  const outside = new Float64Array(graph.nodes.length)
  inject({ graph, shares }, node, rate, outside)
  return cutTraffic(graph, shares, new Set([node])).solve(outside)
}
