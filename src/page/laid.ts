/** Parts of a layout: put together, framed as a cluster, and moved. */
import { LAYER_GAP, type LayerPlace } from './layers.ts'
import type { Box, FlowToLay } from './flow.ts'

/** Between the outline of a cluster and what it holds. */
const PADDING = 14

export type Spot = readonly [along: number, across: number]

/** What has been laid out, around its own middle. Lengths are along the flow, and across it. */
export interface Laid {
  readonly size: Spot
  readonly nodes: ReadonlyMap<number, Spot>
  readonly clusters: ReadonlyMap<number, { readonly spot: Spot; readonly size: Spot }>
  /** Points of each edge in here; of one that leads out, from its node to where it leaves. */
  readonly edges: ReadonlyMap<number, readonly Spot[]>
}

/** How much room layers take, and where each place lies, around the middle of that room. */
export function spots(layers: readonly LayerPlace[][]): {
  readonly size: Spot
  readonly spotOf: (place: LayerPlace) => Spot
} {
  const middles: number[] = []
  let end = -LAYER_GAP.along
  for (const layer of layers) {
    const along = Math.max(...layer.map((each) => each.along))
    middles.push(end + LAYER_GAP.along + along / 2)
    end += LAYER_GAP.along + along
  }
  const all = layers.flat()
  const top = Math.min(...all.map(({ middle, across }) => middle - across / 2))
  const bottom = Math.max(...all.map(({ middle, across }) => middle + across / 2))
  return {
    size: [end, bottom - top],
    spotOf: ({ layer, middle }) => [middles[layer]! - end / 2, middle - (top + bottom) / 2],
  }
}

/** A cluster around what it holds, with its title at the top. */
export function framedAsCluster(held: Laid, cluster: number, title: Box, direction: FlowToLay['direction']): Laid {
  const [along, across] = held.size
  const [pad, lower] = [2 * PADDING, (title.height - PADDING) / 2]
  const high = title.height + PADDING
  const [size, shift]: [Spot, Spot] =
    direction === 'right'
      ? [
          [Math.max(along + pad, title.width), across + high],
          [0, lower],
        ]
      : [
          [along + high, Math.max(across + pad, title.width)],
          [lower, 0],
        ]
  const inner = shifted(held, shift)
  return { ...inner, size, clusters: new Map([...inner.clusters, [cluster, { spot: [0, 0], size }]]) }
}

export function shifted({ size, nodes, clusters, edges }: Laid, [along, across]: Spot): Laid {
  const move = ([a, b]: Spot): Spot => [a + along, b + across]
  return {
    size,
    nodes: new Map([...nodes].map(([node, spot]) => [node, move(spot)])),
    clusters: new Map([...clusters].map(([cluster, each]) => [cluster, { ...each, spot: move(each.spot) }])),
    edges: new Map([...edges].map(([edge, points]) => [edge, points.map(move)])),
  }
}
