/** Boxes in layers along the flow: which layer, in which order, and how far across. */

/** One place in a layer: a node, a cluster, or where a long edge passes. */
export interface LayerPlace {
  readonly layer: number
  /** Its size along the flow, and across it. */
  readonly along: number
  readonly across: number
  readonly before: Link[]
  readonly after: Link[]
  /** How far across its middle lies. */
  middle: number
  order: number
}

/** What an edge joins a place to. */
interface Link {
  readonly place: LayerPlace
  /** How far from the middle of that place the edge ends there, and how much farther than here. */
  readonly end: number
  readonly shift: number
}

/** Room between two layers, and between two places of one. */
export const LAYER_GAP = { along: 56, across: 26 }
const SWEEPS = 8

export function newPlace(layer: number, along: number, across: number): LayerPlace {
  return { layer, along, across, before: [], after: [], middle: 0, order: 0 }
}

/** An edge between two places. @param ends how far from their middles it ends */
export function join(a: LayerPlace, b: LayerPlace, [endA, endB]: readonly [number, number]): void {
  if (a.layer > b.layer) return join(b, a, [endB, endA])
  a.after.push({ place: b, end: endB, shift: endB - endA })
  b.before.push({ place: a, end: endA, shift: endA - endB })
}

/** The layer of each of so many boxes: the longest way from a start. Edges that close a loop do not count. */
export function layersOf(count: number, edges: readonly (readonly [from: number, to: number])[]): number[] {
  const out = Array.from({ length: count }, (_, i) => edges.filter(([from]) => from === i).map(([, to]) => to))
  const state = new Array<number>(count).fill(0)
  const sorted: number[] = []
  const forward: [number, number][] = []
  const visit = (node: number): void => {
    state[node] = 1
    for (const next of out[node]!) {
      if (state[next] === 1) continue
      forward.push([node, next])
      if (state[next] === 0) visit(next)
    }
    state[node] = 2
    sorted.unshift(node)
  }
  for (let node = 0; node < count; node++) if (state[node] === 0) visit(node)
  const layers = new Array<number>(count).fill(0)
  for (const node of sorted) {
    for (const [from, to] of forward) if (from === node) layers[to] = Math.max(layers[to]!, layers[node]! + 1)
  }
  return layers
}

/** Fewer crossings: each layer by the middle of its neighbours, to and fro. */
export function order(layers: readonly LayerPlace[][]): void {
  const number = (layer: LayerPlace[]): void => layer.forEach((each, i) => (each.order = i))
  layers.forEach(number)
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 0
    for (const layer of down ? layers : layers.toReversed()) {
      const wanted = new Map(
        layer.map((each) => [each, mean((down ? each.before : each.after).map(orderOf), each.order)]),
      )
      layer.sort((a, b) => wanted.get(a)! - wanted.get(b)!)
      number(layer)
    }
  }
}

/** Each place near the middle of its neighbours, and none upon another. */
export function spread(layers: readonly LayerPlace[][]): void {
  for (const layer of layers) pack(layer, new Map(layer.map((each) => [each, 0])))
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const layer of sweep % 2 === 0 ? layers : layers.toReversed()) {
      const wanted = layer.map((each) => {
        const near = [...each.before, ...each.after].map(({ place, shift }) => place.middle + shift)
        return [each, mean(near, each.middle)] as const
      })
      pack(layer, new Map(wanted))
    }
  }
}

/** As near to what is wanted as the order allows: those that would lie upon each other move together, as one. */
function pack(layer: readonly LayerPlace[], wanted: ReadonlyMap<LayerPlace, number>): void {
  const offsets: number[] = []
  layer.forEach((each, i) => {
    const before = layer[i - 1]
    offsets.push(before === undefined ? 0 : offsets[i - 1]! + (before.across + each.across) / 2 + LAYER_GAP.across)
  })
  const groups: { sum: number; count: number }[] = []
  layer.forEach((each, i) => {
    const group = { sum: wanted.get(each)! - offsets[i]!, count: 1 }
    for (let last = groups.at(-1); last !== undefined && middleOf(last) > middleOf(group); last = groups.at(-1)) {
      group.sum += last.sum
      group.count += last.count
      groups.pop()
    }
    groups.push(group)
  })
  const places = groups.flatMap((group) => Array.from({ length: group.count }, () => middleOf(group)))
  layer.forEach((each, i) => (each.middle = places[i]! + offsets[i]!))
}

function middleOf({ sum, count }: { readonly sum: number; readonly count: number }): number {
  return sum / count
}

/** Where in its layer an edge ends. */
function orderOf({ place, end }: Link): number {
  return place.order + end / (place.across + 1)
}

function mean(values: readonly number[], otherwise: number): number {
  return values.length === 0 ? otherwise : values.reduce((sum, value) => sum + value, 0) / values.length
}
