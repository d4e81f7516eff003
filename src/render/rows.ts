/** Where a node lies. */
export interface RowPlace {
  readonly row: number
  /** No node of its row comes before it: the rows begin with these, below each other. */
  readonly isFirst: boolean
}

/** A graph of fewer layers stays in one row. */
const LEAST_LAYERS = 12
/** So is one that is wider than this, in nodes of a layer on average. */
const MOST_WIDE = 3
/** What a layer and a node take, about, in the sizes of a picture; and how wide a picture shall be for its height. */
const LAYER = 185
const NODE = 80
const GAP = 50
const ASPECT = 1.8

/** What is laid out in rows. */
export interface Layers {
  readonly nodes: readonly string[]
  readonly edges: readonly { readonly from: string; readonly to: string }[]
  /** The outermost box that a node lies in; empty where there is none. Boxes are not cut. */
  readonly boxOf: (node: string) => string
}

/**
 * The rows of a graph that is long and narrow, so that its picture is no ribbon: the row of each node. Nothing where it is
 * better in one row, or cannot be cut without cutting a box. Linear in nodes and edges.
 */
export function rowsOf(graph: Layers): ReadonlyMap<string, RowPlace> | undefined {
  const layers = layersOf(graph)
  const count = layers.size === 0 ? 0 : [...layers.values()].reduce((most, layer) => Math.max(most, layer), 0) + 1
  const wide = graph.nodes.length / Math.max(1, count)
  if (count < LEAST_LAYERS || wide > MOST_WIDE) return undefined
  const rows = Math.max(2, Math.round(Math.sqrt((count * LAYER) / (ASPECT * (wide * NODE + GAP)))))
  const cuts = cutsOf(graph, layers, count, rows)
  if (cuts === undefined) return undefined
  const rowOfLayer: number[] = []
  for (let layer = 0, row = 0; layer < count; layer++) rowOfLayer.push(cuts.has(layer) ? ++row : row)
  const begun = new Set<number>()
  const place = (node: string): RowPlace => {
    const layer = layers.get(node)!
    const row = rowOfLayer[layer]!
    const isFirst = (layer === 0 || cuts.has(layer)) && !begun.has(row)
    if (isFirst) begun.add(row)
    return { row, isFirst }
  }
  return new Map(graph.nodes.map((node) => [node, place(node)]))
}

/** Layers that begin a row: each the one nearest to an even cut that cuts no box, and of those the one with fewest edges. */
function cutsOf(
  { nodes, edges, boxOf }: Layers,
  layers: ReadonlyMap<string, number>,
  count: number,
  rows: number,
): ReadonlySet<number> | undefined {
  const crossing = spread(
    count,
    edges.map(({ from, to }) => [layers.get(from)!, layers.get(to)!]),
  )
  const spans = new Map<string, [number, number]>()
  for (const node of nodes) {
    const [box, layer] = [boxOf(node), layers.get(node)!]
    const [first, last] = spans.get(box) ?? [layer, layer]
    if (box !== '') spans.set(box, [Math.min(first, layer), Math.max(last, layer)])
  }
  const boxes = spread(count, [...spans.values()])
  const each = count / rows
  const slack = Math.max(1, Math.floor(each / 3))
  const cuts = new Set<number>()
  for (let row = 1; row < rows; row++) {
    const even = Math.round(row * each)
    let best: number | undefined
    for (let layer = even - slack; layer <= even + slack; layer++) {
      if (layer < 1 || layer >= count || boxes[layer]! > 0 || cuts.has(layer)) continue
      const cost = (at: number): number => crossing[at]! * slack + Math.abs(at - even)
      if (best === undefined || cost(layer) < cost(best)) best = layer
    }
    if (best === undefined) return undefined
    cuts.add(best)
  }
  return cuts
}

/** How many of these spans go over the line before each layer. */
function spread(count: number, spans: readonly (readonly [number, number])[]): readonly number[] {
  const changes = Array.from({ length: count + 1 }, () => 0)
  for (const [a, b] of spans) {
    changes[Math.min(a, b) + 1]!++
    changes[Math.max(a, b) + 1]!--
  }
  let sum = 0
  return changes.map((change) => (sum += change))
}

/** The longest way to each node, in edges, over what is no edge back. */
function layersOf({ nodes, edges }: Layers): ReadonlyMap<string, number> {
  const next = new Map<string, string[]>(nodes.map((node) => [node, []]))
  for (const { from, to } of edges) if (next.has(to)) next.get(from)?.push(to)
  const { order, isBack } = walk(nodes, next)
  const layers = new Map(nodes.map((node) => [node, 0]))
  for (const node of order)
    for (const to of next.get(node)!)
      if (!isBack(node, to)) layers.set(to, Math.max(layers.get(to)!, layers.get(node)! + 1))
  return layers
}

/** Depth first, without recursion: nodes so that every edge but those back leads to a later one. */
function walk(nodes: readonly string[], next: ReadonlyMap<string, readonly string[]>) {
  const ended: string[] = []
  const places = new Map<string, number>()
  const seen = new Set<string>()
  for (const start of nodes) {
    if (seen.has(start)) continue
    seen.add(start)
    const way = [{ node: start, at: 0 }]
    while (way.length > 0) {
      const top = way.at(-1)!
      const to = next.get(top.node)![top.at++]
      if (to === undefined) {
        way.pop()
        places.set(top.node, ended.push(top.node))
      } else if (!seen.has(to)) {
        seen.add(to)
        way.push({ node: to, at: 0 })
      }
    }
  }
  // An edge back leads to what ended later, or to itself.
  const isBack = (from: string, to: string): boolean => places.get(to)! >= places.get(from)!
  return { order: ended.toReversed(), isBack }
}
