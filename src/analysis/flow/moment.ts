import { cutTraffic, type Model, type Origin } from './model.ts'
import type { Prediction } from './predict.ts'
import type { Queue } from './queues.ts'
import { predictShared } from './share-cores.ts'
import { times } from './traffic.ts'

/** What the queues hold at one moment, and the graph that they belong to. */
export interface Moment {
  readonly model: Model
  readonly queues: ReadonlyMap<number, Queue>
  /** Records in each queue, by node number. */
  readonly held: Float64Array
  /** The part of a source record that one record in a queue stands for, by node number. */
  readonly mass: Float64Array
  /** Source records that may be on their way. */
  readonly window: number
}

/** A share of the capacity that counts as nothing, or as everything. */
export const EDGE = 1e-6
const WINDOW_TURNS = 60

/**
 * The rates at this moment. A queue that is neither empty nor full parts the flow. An empty one parts it where its reader
 * cannot keep up (it fills from now on), a full one where its reader could take more (it drains); otherwise what comes to them
 * is what leaves them, and back-pressure goes through.
 */
export function flowAt(moment: Moment): Prediction {
  const { model, queues } = moment
  const inside = [...queues].filter(([node, { drops }]) => drops || (!isFull(moment, node) && !isEmpty(moment, node)))
  const parting = new Set(inside.map(([node]) => node))
  const coupled = new Set<number>()
  for (;;) {
    const cut = [...parting]
    const parted = { ...model, parting: cut, traffic: cutTraffic(model.graph, model.shares, cut) }
    const flow = withinWindow(moment, parted)
    const stuck = new Set(flow.met.flatMap(({ node }) => node ?? []))
    const open = [...queues.keys()].filter((node) => !coupled.has(node))
    const more = open.filter((node) => !parting.has(node) && shouldPart(moment, parted, node, stuck))
    // What drains at first may fill again, once a queue before it parts too: then it stays full.
    const full = open.filter(
      (node) => parting.has(node) && isFull(moment, node) && !isDropping(moment, node) && grows(flow, node),
    )
    if (more.length === 0 && full.length === 0) return flow
    for (const node of more) parting.add(node)
    for (const node of full) {
      parting.delete(node)
      coupled.add(node)
    }
  }
}

/** Records per second by which a queue grows; infinite where nothing limits what comes. */
export function growthOf({ into, leaving }: Prediction, node: number): number {
  if (leaving[node] === Infinity) return 0
  const growth = into[node]! - leaving[node]!
  return Math.abs(growth) <= EDGE * into[node]! && growth !== Infinity ? 0 : growth
}

/** Source records per second by which what is on its way grows. */
export function massGrowth({ queues, mass, held }: Moment, flow: Prediction): number {
  return [...queues].reduce((sum, [node, { drops, capacity }]) => {
    const growth = growthOf(flow, node)
    return drops && growth > 0 && held[node]! >= capacity * (1 - EDGE) ? sum : sum + growth * mass[node]!
  }, 0)
}

export function onTheirWay({ held, mass }: Moment): number {
  return held.reduce((sum, records, node) => sum + times(records, mass[node]!), 0)
}

function isFull({ queues, held }: Moment, node: number): boolean {
  return held[node]! >= (queues.get(node)?.capacity ?? 0) * (1 - EDGE)
}

function isEmpty({ queues, held }: Moment, node: number): boolean {
  return held[node]! <= (queues.get(node)?.capacity ?? 0) * EDGE
}

function isDropping({ queues }: Moment, node: number): boolean {
  return queues.get(node)?.drops ?? false
}

function grows(flow: Prediction, node: number): boolean {
  return growthOf(flow, node) > 0
}

function shouldPart(moment: Moment, model: Model, node: number, stuck: ReadonlySet<number>): boolean {
  const isHeld = isHeldBack(moment, model, node, stuck)
  return isEmpty(moment, node) ? isHeld : isFull(moment, node) && !isHeld
}

/** Whether something below takes no more than it gets: up to the next queue that takes in what comes. */
function isHeldBack(moment: Moment, { graph, parting }: Model, node: number, stuck: ReadonlySet<number>): boolean {
  const ends = new Set(parting)
  const seen = new Set([node])
  for (const each of seen) {
    if (stuck.has(each)) return true
    const takesIn = ends.has(each) || (moment.queues.has(each) && isEmpty(moment, each))
    if (each !== node && takesIn) continue
    for (const edge of graph.out(each)) seen.add(graph.to(edge))
  }
  return false
}

/** The flow with the sources held to what ends, where as much is on its way as may be. */
function withinWindow(moment: Moment, model: Model): Prediction {
  const options = { hasBacklog: (node: number) => !isEmpty(moment, node) }
  let flow = predictShared(model, options)
  if (onTheirWay(moment) < moment.window * (1 - EDGE)) return flow
  for (let turn = 0; turn < WINDOW_TURNS; turn++) {
    const more = massGrowth(moment, flow)
    if (more <= EDGE * flow.throughput || !Number.isFinite(flow.throughput)) return flow
    const factor = Math.max(0, 1 - more / flow.throughput)
    const sources = model.sources.map((source, index): Origin => ({
      ...source,
      most: (flow.rates[index] ?? 0) * factor,
    }))
    flow = predictShared({ ...model, sources }, options)
  }
  return flow
}
