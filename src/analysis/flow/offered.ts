import { components, type Components } from '../components.ts'
import { spreadBelow, type Below } from './below.ts'
import { coreLoad } from './filling.ts'
import type { CountsAsLimit } from './limits.ts'
import { feeders, flowsTo, type Model } from './model.ts'
import { predict, type Prediction } from './predict.ts'
import { times } from './times.ts'

/**
 * What comes to each buffer when only stages that are not below it limit the sources; to be asked for the lowest buffers
 * first. It differs from what is predicted only where all that held some origin lies below the buffer.
 * Cost: where there is one source, linear for a chain, else one pass over what is below the buffer. Where there are several,
 * one prediction for each buffer that has another bottleneck above it than the buffer before.
 */
export function offeredTo(model: Model, prediction: Prediction): (buffer: number, below: Below) => number {
  if (model.traffic.growing.length > 0) return besideGrowth(model, prediction)
  const feeds = fedBy(model)
  const stages = holdingStages(prediction)
  const held = feeders(model, stages)
  const isHeldByCores = holdsByCores(prediction)
  const isHeldBack = (buffer: number, { burn }: Below): boolean =>
    (model.parting.has(buffer) ? wayOn(model, buffer).some((node) => held.has(node)) : held.has(buffer)) ||
    (isHeldByCores && burn > 0)
  const withoutBelow =
    model.sources.length === 1 && model.parting.size === 0 ? fromOneSource(model) : fromSeveral(model)
  return (buffer, below) =>
    feeds(buffer) && isHeldBack(buffer, below) ? withoutBelow(buffer) : prediction.into[buffer]!
}

/** Tells of which buffers an origin knows: a source that is not behind another buffer that parts the flow, or the buffer itself. */
function fedBy(model: Model): (buffer: number) => boolean {
  const fed = flowsTo(
    model,
    model.sources.map(({ node }) => node),
  )
  return (buffer) => fed.has(buffer) || model.parting.has(buffer)
}

function holdingStages({ holders }: Prediction): readonly number[] {
  return [...new Set(holders.flatMap((limit) => (limit?.by === 'stage' ? [limit.node!] : [])))]
}

function holdsByCores({ holders }: Prediction): boolean {
  return holders.some((limit) => limit?.by === 'cores')
}

/** A loop that grows sends without end to all its nodes, and makes its limits count whenever they are looked at: nothing is shared. */
function besideGrowth(model: Model, { met, into }: Prediction): (buffer: number, below: Below) => number {
  const feeds = fedBy(model)
  return (buffer, { burn }) => {
    const below = new Set<number>()
    spreadBelow(model, buffer, (node) => void below.add(node))
    const isHeldBack = met.some(({ by, node }) => (by === 'cores' ? burn > 0 : below.has(node!)))
    if (!feeds(buffer) || !isHeldBack) return into[buffer]!
    return predict(model, { counts: (node) => !below.has(node) }).into[buffer]!
  }
}

function wayOn({ graph, shares }: Model, node: number): readonly number[] {
  return graph.out(node).flatMap((edge) => ((shares[edge]?.gain ?? 0) > 0 ? [graph.to(edge)] : []))
}

/** One source goes up to the first stage that is full, so the stages need to be put in order only once. */
function fromOneSource(model: Model): (buffer: number) => number {
  const { services, traffic, graph } = model
  const { node: source, most } = model.sources[0]!
  const growth = traffic.solve(Float64Array.from(graph.nodes, (_, node) => (node === source ? 1 : 0)))
  const limit = (node: number): number => services[node]!.rate / growth[node]!
  const firstFull = [...services.keys()].filter((node) => services[node]!.rate < Infinity && growth[node]! > 0)
  firstFull.sort((a, b) => limit(a) - limit(b))
  const marks = marksOf(model)
  let next = 0
  return (buffer) => {
    if (!marks.extendTo(buffer)) next = 0
    while (next < firstFull.length && marks.has(firstFull[next]!)) next++
    const full = next < firstFull.length ? limit(firstFull[next]!) : Infinity
    const burnt = model.cores === Infinity ? 0 : coreLoad(model, growth, (node) => !marks.has(node))
    const rate = Math.min(most, full, burnt > 0 ? model.cores / burnt : Infinity)
    return times(growth[buffer]!, rate)
  }
}

function fromSeveral(model: Model): (buffer: number) => number {
  const marks = marksOf(model)
  let last: Prediction | undefined
  return (buffer) => {
    const grown = marks.extendTo(buffer)
    // What did not hold anything before, with more stages that count, does not now.
    const stays =
      grown && last !== undefined && !holdsByCores(last) && !holdingStages(last).some((node) => marks.has(node))
    if (last === undefined || !stays) {
      const notBelow: CountsAsLimit = (node) => !marks.has(node)
      last = predict(model, { counts: notBelow })
    }
    return last.into[buffer]!
  }
}

/** The nodes below one buffer. */
interface Marks {
  has(node: number): boolean
  /** Goes on to another buffer. True where nothing below the last one is not below this one. */
  extendTo(buffer: number): boolean
}

function marksOf(model: Model): Marks {
  const { graph, parting } = model
  const marked = new Uint8Array(graph.nodes.length)
  let loops: Components | undefined
  let last = -1
  /** Marks what was not marked, and tells whether the last buffer is among it. */
  const descend = (buffer: number): boolean => {
    let meets = false
    const open = [buffer]
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (parting.has(node) && node !== buffer) continue
      for (const next of wayOn(model, node)) {
        if (marked[next] === 1) continue
        marked[next] = 1
        if (next === last && !parting.has(last)) meets = true
        open.push(next)
      }
    }
    return meets
  }
  const isSameLoop = (buffer: number): boolean => {
    if (last === -1 || !model.traffic.isOnLoop(buffer) || parting.has(buffer)) return false
    const edges = (node: number): readonly number[] =>
      graph.out(node).filter((edge) => !parting.has(node) && (model.shares[edge]?.gain ?? 0) > 0)
    loops ??= components({ ...graph, out: edges })
    return loops.of(buffer) === loops.of(last) && loops.isLoop(loops.of(buffer))
  }
  return {
    has: (node) => marked[node] === 1,
    extendTo: (buffer) => {
      const holdsLast = isSameLoop(buffer) || descend(buffer)
      if (!holdsLast) {
        marked.fill(0)
        descend(buffer)
      }
      last = buffer
      return holdsLast
    },
  }
}
