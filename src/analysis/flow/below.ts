import { coreLoad } from './filling.ts'
import { cutTraffic, type Model } from './model.ts'
import { onlyEdge } from './only-edge.ts'
import type { Prediction } from './predict.ts'

/** What the stages below a buffer have left. */
export interface Below {
  /** Records per second that it could send more until a stage below is full. */
  readonly room: number
  /** Core time of one record that leaves it, until it ends or comes back, in seconds. */
  readonly burn: number
}

const NOTHING: Below = { room: Infinity, burn: 0 }

/**
 * What is below each buffer. With `x(v)` the visits to `v` of one record that leaves the buffer, until it ends or comes back,
 * `room = min over v of (serviceRate(v) - in(v)) / x(v)`. Where a node has one way on, over an edge of gain `g` to `w`, all
 * its `x` are `g` times those of `w`, so `room = min(room of w alone, room below w) / g`, and nothing is solved.
 * Cost: linear for chains; else one solution of the traffic equations below each node at which ways part.
 */
export function belowOf(model: Model, { into }: Prediction): (buffer: number) => Below {
  const { graph, shares, services, traffic, parting } = model
  const growing = new Set(traffic.growing.flat())
  const burns = model.cores < Infinity && services.some(({ coreSeconds }) => coreSeconds > 0)
  const gain = (edge: number): number => shares[edge]?.gain ?? 0
  const roomAt = (node: number): number => (services[node]?.rate ?? Infinity) - into[node]!

  const solved = (node: number): Below => {
    let room = Infinity
    let burn = 0
    spreadBelow(model, node, (other, visits) => {
      if (services[other]!.rate === Infinity) return
      room = Math.min(room, roomAt(other) / visits)
      burn += visits * services[other]!.coreSeconds
    })
    return { room, burn }
  }
  /** The edge that all records take on, where what is below its end says everything. */
  const onlyWayOn = (node: number): number | undefined => {
    const edge = onlyEdge(graph.out(node), gain)
    if (edge === undefined) return undefined
    const to = graph.to(edge)
    if (!traffic.isOnLoop(node)) return traffic.isOnLoop(to) ? undefined : edge
    // In a loop, what leaves `to` for the first time has left the node, and comes back to both or to none. It visits `to` on
    // its way back, which its core time must not count; as long as that is less than one visit it leaves the room as it is.
    const follows = traffic.place(node) === traffic.place(to) && node !== to && !growing.has(node) && !burns
    return follows && !parting.has(node) && onlyEdge(graph.in(to), gain) === edge ? edge : undefined
  }
  const known = new Map<number, Below>()
  return (buffer) => {
    const way: number[] = []
    let last = buffer
    const isKnown = (): boolean => known.has(last) || (parting.has(last) && last !== buffer)
    for (let edge = onlyWayOn(last); edge !== undefined && !isKnown(); edge = onlyWayOn(last)) {
      way.push(edge)
      last = graph.to(edge)
      if (last === buffer) break
    }
    let below = parting.has(last) && last !== buffer ? NOTHING : (known.get(last) ?? solved(last))
    if (last !== buffer && !parting.has(last)) known.set(last, below)
    for (const edge of way.reverse()) {
      const to = graph.to(edge)
      const room = services[to]!.rate === Infinity ? below.room : Math.min(below.room, roomAt(to))
      below = { room: room / gain(edge), burn: (below.burn + services[to]!.coreSeconds) * gain(edge) }
      if (!parting.has(graph.from(edge))) known.set(graph.from(edge), below)
    }
    return below
  }
}

/** Calls `visit` with the visits to each node of one record that leaves `node`, until it ends or comes back to it. */
export function spreadBelow(model: Model, node: number, visit: (other: number, visits: number) => void): void {
  const { graph, shares, traffic } = model
  const isCut = model.parting.has(node)
  const turns = isCut ? Infinity : traffic.turns(node)
  // Visits of a record that leaves again and again, by its turns, are those until it comes back.
  if (turns < Infinity) {
    const back = 1 - 1 / turns
    if (back > 0) visit(node, back)
    return traffic.spread([[node, 1 / turns]], (other, visits) => void (other !== node && visit(other, visits)))
  }
  const first = graph.out(node).map((edge) => [graph.to(edge), shares[edge]?.gain ?? 0] as const)
  const cut = isCut ? traffic : cutTraffic(graph, shares, new Set([...model.parting, node]))
  cut.spread(first, visit)
}

/** Most that a buffer can send with everything else as predicted. */
export function drainRateOf(model: Model, { into, leaving }: Prediction): (node: number, below: Below) => number {
  const free = model.cores === Infinity ? Infinity : model.cores - coreLoad(model, into)
  return (node, { room, burn }) => {
    const more = burn > 0 && free < Infinity ? Math.min(room, free / burn) : room
    return Math.max(0, leaving[node]! + more)
  }
}
