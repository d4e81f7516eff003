/**
 * Where nodes, clusters and edges of a graph lie: in layers along the flow, with few crossings. A cluster is laid out by
 * itself and is one box of what holds it, so a box never lies upon another that it is not in.
 */
import type { Box, FlowToLay, Placed, Point } from './flow.ts'
import { framedAsCluster, type Laid, shifted, type Spot, spots } from './laid.ts'
import { join, newPlace, order, type LayerPlace, spread } from './layers.ts'
import { Levels, OUTSIDE } from './levels.ts'

/** Across the flow, where a long edge passes a layer. */
const PASSING = 14

export function place(flow: FlowToLay): Placed {
  const { size, nodes, clusters, edges } = new Layout(flow).whole
  // Down is right, turned: sizes are turned before, and points after.
  const turned = flow.direction === 'down'
  const point = ([a, b]: Spot): Point => {
    const [along, across] = [a + size[0] / 2, b + size[1] / 2]
    return turned ? { x: across, y: along } : { x: along, y: across }
  }
  const box = ([along, across]: Spot): Box =>
    turned ? { width: across, height: along } : { width: along, height: across }
  return {
    nodes: flow.boxes.map((_, node) => point(nodes.get(node)!)),
    clusters: (flow.clusters ?? []).map((_, cluster) => {
      const found = clusters.get(cluster)
      return found && { ...point(found.spot), ...box(found.size) }
    }),
    edges: flow.edges.map((_, edge) => edges.get(edge)!.map(point)),
    ...box(size),
  }
}

class Layout {
  readonly #flow: FlowToLay
  readonly #levels: Levels

  constructor(flow: FlowToLay) {
    this.#flow = flow
    this.#levels = new Levels(flow)
  }

  get whole(): Laid {
    return this.#lay(OUTSIDE)
  }

  #layItem(item: number): Laid {
    const { boxes, clusters, edges, direction } = this.#flow
    if (item >= boxes.length) {
      const cluster = item - boxes.length
      return framedAsCluster(this.#lay(cluster), cluster, clusters![cluster]!.title, direction)
    }
    const { width, height } = boxes[item]!
    const ends = edges.flatMap((pair, edge) => {
      const here = pair.filter((node) => node === item)
      return here.length === 0 ? [] : [[edge, here.map((): Spot => [0, 0])] as const]
    })
    return {
      size: direction === 'down' ? [height, width] : [width, height],
      nodes: new Map([[item, [0, 0]]]),
      clusters: new Map(),
      edges: new Map(ends),
    }
  }

  #lay(level: number): Laid {
    const { layerOf, layers: count } = this.#levels.get(level)
    const laid = new Map([...layerOf.keys()].map((item) => [item, this.#layItem(item)]))
    const places = new Map([...laid].map(([item, { size }]) => [item, newPlace(layerOf.get(item)!, ...size)]))
    const layers: LayerPlace[][] = Array.from({ length: count }, () => [])
    for (const each of places.values()) layers[each.layer]!.push(each)
    const passes = new Map<number, readonly LayerPlace[]>()
    this.#flow.edges.forEach((pair, edge) => {
      const [from, to] = pair.map((node) => this.#levels.itemOf(node, level))
      if (from === to) return
      // An edge that leads out passes all layers that lie before it.
      const [first, last] = this.#levels.leadsBack(pair) ? ([count, -1] as const) : ([-1, count] as const)
      const [a, b] = [from === undefined ? first : layerOf.get(from)!, to === undefined ? last : layerOf.get(to)!]
      const passed = between(a, b).map((layer) => newPlace(layer, 0, PASSING))
      for (const each of passed) layers[each.layer]!.push(each)
      passes.set(edge, passed)
      const end = (item: number | undefined): [LayerPlace, number][] =>
        item === undefined ? [] : [[places.get(item)!, laid.get(item)!.edges.get(edge)!.at(-1)![1]]]
      const way = [...end(from), ...passed.map((each): [LayerPlace, number] => [each, 0]), ...end(to)]
      way.slice(1).forEach(([next, ending], i) => join(way[i]![0], next, [way[i]![1], ending]))
    })
    order(layers)
    spread(layers)
    return this.#assembled(level, { layers, laid, places, passes })
  }

  #assembled(
    level: number,
    {
      layers,
      laid,
      places,
      passes,
    }: {
      layers: readonly LayerPlace[][]
      laid: ReadonlyMap<number, Laid>
      places: ReadonlyMap<number, LayerPlace>
      passes: ReadonlyMap<number, readonly LayerPlace[]>
    },
  ): Laid {
    const { size, spotOf } = spots(layers)
    const moved = new Map([...laid].map(([item, each]) => [item, shifted(each, spotOf(places.get(item)!))]))
    const edges = new Map([...moved.values()].flatMap((each) => [...each.edges]))
    for (const [edge, passed] of passes) {
      const [out, into] = this.#flow.edges[edge]!.map((node) =>
        moved.get(this.#levels.itemOf(node, level)!)?.edges.get(edge),
      )
      const middle = passed.map(spotOf)
      if (out === undefined) edges.set(edge, [...into!, ...middle.toReversed()])
      else edges.set(edge, [...out, ...middle, ...(into ?? []).toReversed()])
    }
    return {
      size,
      nodes: new Map([...moved.values()].flatMap(({ nodes }) => [...nodes])),
      clusters: new Map([...moved.values()].flatMap(({ clusters }) => [...clusters])),
      edges,
    }
  }
}

/** The layers strictly between two, from the one to the other. */
function between(a: number, b: number): number[] {
  const step = Math.sign(b - a)
  return Array.from({ length: Math.max(0, Math.abs(b - a) - 1) }, (_, i) => a + (i + 1) * step)
}
