import { withParting, type Model } from './model.ts'
import type { Prediction } from './predict.ts'
import type { Queue } from './queues.ts'
import { predictShared } from './share-cores.ts'
import type { Rates } from './totals.ts'
import { times } from './times.ts'

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
export const NEGLIGIBLE = 1e-6
const WINDOW_TURNS = 60
/** A growth, as a share of all that comes, that counts as none: over the longest forecast it adds up to nothing. */
const SETTLED = 1e-10

/**
 * The rates at this moment. A queue that is not full parts the flow: an empty one hands on what comes, or fills from now on
 * where its reader cannot keep up. A full one parts it where its reader could take more (it drains); otherwise what comes to it
 * is what leaves it, and back-pressure goes through. So it does at empty queues within loops, until they turn out to fill.
 */
export function flowAt(moment: Moment): Prediction {
  const { model, queues } = moment
  const inside = [...queues].filter(([node, { drops }]) => {
    return drops || !(isEmpty(moment, node) ? model.traffic.isOnLoop(node) : isFull(moment, node))
  })
  const parting = new Set(inside.map(([node]) => node))
  const coupled = new Set<number>()
  for (;;) {
    const parted = withParting(model, new Set(parting))
    const flow = withinWindow(moment, parted)
    const stuck = new Set(flow.met.flatMap(({ node }) => node ?? []))
    const held = heldBack(moment, parted, stuck)
    const open = [...queues.keys()].filter((node) => !coupled.has(node))
    const more = open.filter((node) => {
      return !parting.has(node) && (isEmpty(moment, node) ? held.has(node) : isFull(moment, node) && !held.has(node))
    })
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
export function growthOf({ into, leaving }: Rates, node: number): number {
  if (leaving[node] === Infinity) return 0
  const growth = into[node]! - leaving[node]!
  return Math.abs(growth) <= NEGLIGIBLE * into[node]! && growth !== Infinity ? 0 : growth
}

/** Source records per second by which what is on its way grows. */
export function massGrowth({ queues, mass, held }: Moment, flow: Rates): number {
  return [...queues].reduce((sum, [node, { drops, capacity }]) => {
    const growth = growthOf(flow, node)
    return drops && growth > 0 && held[node]! >= capacity * (1 - NEGLIGIBLE) ? sum : sum + growth * mass[node]!
  }, 0)
}

export function onTheirWay({ held, mass }: Moment): number {
  return held.reduce((sum, records, node) => sum + times(records, mass[node]!), 0)
}

function isFull({ queues, held }: Moment, node: number): boolean {
  return held[node]! >= (queues.get(node)?.capacity ?? 0) * (1 - NEGLIGIBLE)
}

function isEmpty({ queues, held }: Moment, node: number): boolean {
  return held[node]! <= (queues.get(node)?.capacity ?? 0) * NEGLIGIBLE
}

function isDropping({ queues }: Moment, node: number): boolean {
  return queues.get(node)?.drops ?? false
}

function grows(flow: Prediction, node: number): boolean {
  return growthOf(flow, node) > 0
}

/** Nodes below which something takes no more than it gets: up to the next queue that takes in what comes. Linear. */
function heldBack(moment: Moment, { graph, parting }: Model, stuck: ReadonlySet<number>): ReadonlySet<number> {
  const takesIn = (node: number): boolean => parting.has(node) || (moment.queues.has(node) && isEmpty(moment, node))
  const held = new Set(stuck)
  const through = new Set(stuck)
  for (const node of through) {
    for (const edge of graph.in(node)) {
      const from = graph.from(edge)
      held.add(from)
      if (!takesIn(from)) through.add(from)
    }
  }
  return held
}

/** The flow with the sources held to what ends, where as much is on its way as may be. */
function withinWindow(moment: Moment, model: Model): Prediction {
  const options = { hasBacklog: (node: number) => !isEmpty(moment, node) }
  const free = predictShared(model, options)
  const isFull = onTheirWay(moment) >= moment.window * (1 - NEGLIGIBLE) && Number.isFinite(free.throughput)
  const least = SETTLED * free.throughput
  if (!isFull || massGrowth(moment, free) <= least) return free
  const slowed = (part: number): Slowed => {
    const sources = model.sources.map((source, index) => ({ ...source, most: (free.rates[index] ?? 0) * part }))
    const flow = predictShared({ ...model, sources }, options)
    return { part, flow, growth: massGrowth(moment, flow) }
  }
  // The part of their rates at which no more is on its way: growth goes in lines, so mostly by the line between two guesses.
  let [low, high]: [Slowed, Slowed] = [slowed(0), { part: 1, flow: free, growth: massGrowth(moment, free) }]
  for (let turn = 0; turn < WINDOW_TURNS && low.growth < -least; turn++) {
    const share = turn % 2 === 0 ? -low.growth / (high.growth - low.growth) : 1 / 2
    const next = slowed(low.part + (high.part - low.part) * share)
    if (next.growth > least) high = next
    else low = next
  }
  return low.flow
}

interface Slowed {
  readonly part: number
  readonly flow: Prediction
  readonly growth: number
}
