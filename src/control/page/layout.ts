/** Where nodes and edges of a graph lie: in layers along the flow, with few crossings. */

export interface Box {
  readonly width: number
  readonly height: number
}

export interface Placed {
  /** Middles of the boxes, in the order of the nodes. */
  readonly nodes: readonly { readonly x: number; readonly y: number }[]
  /** Points that each edge goes through, in the order of the edges. */
  readonly edges: readonly (readonly { readonly x: number; readonly y: number }[])[]
  readonly width: number
  readonly height: number
}

export interface Flow {
  readonly boxes: readonly Box[]
  /** Pairs of node numbers. */
  readonly edges: readonly (readonly [from: number, to: number])[]
  readonly direction: 'right' | 'down'
}

const SWEEPS = 8
const GAP = { along: 56, across: 26 }
const PASSING = 14

/** One place in a layer: a node, or where a long edge passes. */
interface Place {
  readonly layer: number
  readonly width: number
  readonly height: number
  readonly before: Place[]
  readonly after: Place[]
  across: number
  order: number
}

export function place({ boxes, edges, direction }: Flow): Placed {
  // Down is right, turned: boxes are turned before, and points after.
  const turned = direction === 'down'
  const sizes = turned ? boxes.map(({ width, height }) => ({ width: height, height: width })) : boxes
  const layerOf = layersOf(sizes.length, edges)
  const places: Place[] = sizes.map(({ width, height }, i) => newPlace(layerOf[i]!, width, height))
  const paths = edges.map(([from, to]) => pathOf(places, from, to))
  const layers: Place[][] = []
  for (const each of [...places, ...paths.flatMap((path) => path.slice(1, -1))]) {
    if (!(layers[each.layer] ?? []).includes(each)) (layers[each.layer] ??= []).push(each)
  }
  order(layers)
  spread(layers)
  const middles: number[] = []
  let along = 0
  for (const layer of layers) {
    const width = Math.max(...layer.map((each) => each.width))
    middles.push(along + width / 2)
    along += width + GAP.along
  }
  const all = layers.flat()
  const top = Math.min(...all.map((each) => each.across - each.height / 2))
  const bottom = Math.max(...all.map((each) => each.across + each.height / 2))
  const point = (each: Place): { x: number; y: number } => {
    const [a, b] = [middles[each.layer]!, each.across - top]
    return turned ? { x: b, y: a } : { x: a, y: b }
  }
  const [length, breadth] = [along - GAP.along, bottom - top]
  return {
    nodes: places.map(point),
    edges: paths.map((path) => path.map(point)),
    width: turned ? breadth : length,
    height: turned ? length : breadth,
  }
}

function newPlace(layer: number, width: number, height: number): Place {
  return { layer, width, height, before: [], after: [], across: 0, order: 0 }
}

/** The longest way from a start; edges that close a loop do not count. */
function layersOf(count: number, edges: Flow['edges']): number[] {
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

/** Long edges pass every layer between their ends at a place of their own. */
function pathOf(places: readonly Place[], from: number, to: number): Place[] {
  const [first, last] = [places[from]!, places[to]!]
  const path = [first]
  const step = Math.sign(last.layer - first.layer)
  const passed = Math.max(0, Math.abs(last.layer - first.layer) - 1)
  for (let i = 1; i <= passed; i++) path.push(newPlace(first.layer + i * step, 0, PASSING))
  path.push(last)
  for (let i = 1; i < path.length; i++) {
    const [a, b] = step >= 0 ? [path[i - 1]!, path[i]!] : [path[i]!, path[i - 1]!]
    a.after.push(b)
    b.before.push(a)
  }
  return path
}

/** Fewer crossings: each layer by the middle of its neighbours, to and fro. */
function order(layers: readonly Place[][]): void {
  const number = (layer: Place[]): void => layer.forEach((each, i) => (each.order = i))
  layers.forEach(number)
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 0
    for (const layer of down ? layers : layers.toReversed()) {
      const wanted = new Map(
        layer.map((each) => [
          each,
          middle(
            (down ? each.before : each.after).map((other) => other.order),
            each.order,
          ),
        ]),
      )
      layer.sort((a, b) => wanted.get(a)! - wanted.get(b)!)
      number(layer)
    }
  }
}

/** Each place near the middle of its neighbours, and none upon another. */
function spread(layers: readonly Place[][]): void {
  for (const layer of layers) pack(layer, new Map(layer.map((each) => [each, 0])))
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const layer of sweep % 2 === 0 ? layers : layers.toReversed()) {
      const wanted = layer.map((each) => {
        const near = [...each.before, ...each.after].map((other) => other.across)
        return [each, middle(near, each.across)] as const
      })
      pack(layer, new Map(wanted))
    }
  }
}

/** As near to what is wanted as the order allows: those that would lie upon each other move together, as one. */
function pack(layer: readonly Place[], wanted: ReadonlyMap<Place, number>): void {
  const offsets: number[] = []
  layer.forEach((each, i) => {
    const before = layer[i - 1]
    offsets.push(before === undefined ? 0 : offsets[i - 1]! + (before.height + each.height) / 2 + GAP.across)
  })
  const groups: { sum: number; count: number }[] = []
  layer.forEach((each, i) => {
    const group = { sum: wanted.get(each)! - offsets[i]!, count: 1 }
    for (let last = groups.at(-1); last !== undefined && mean(last) > mean(group); last = groups.at(-1)) {
      group.sum += last.sum
      group.count += last.count
      groups.pop()
    }
    groups.push(group)
  })
  const places = groups.flatMap((group) => Array.from({ length: group.count }, () => mean(group)))
  layer.forEach((each, i) => (each.across = places[i]! + offsets[i]!))
}

function mean({ sum, count }: { readonly sum: number; readonly count: number }): number {
  return sum / count
}

function middle(values: readonly number[], otherwise: number): number {
  return values.length === 0 ? otherwise : values.reduce((sum, value) => sum + value, 0) / values.length
}
