import type { GraphAnswer } from '#src/control/index.js'
import { s } from './dom.ts'
import { boxOf } from './graph-node.ts'
import type { Box, FlowToLay, Placed } from './flow.ts'
import { widthOf } from './text-width.ts'

type Cluster = GraphAnswer['clusters'][number] & { readonly label?: string; readonly parent?: string }
type Node = GraphAnswer['nodes'][number] & { readonly cluster?: string }

const INSET = 14
const TITLE_FONT = '620 13px'
const TITLE_HEIGHT = 32

/** What the layout needs to know of a graph. */
export function flowOf({ nodes, edges, clusters }: GraphAnswer, direction: FlowToLay['direction']): FlowToLay {
  const numbers = new Map(nodes.map(({ id }, i) => [id, i]))
  const clusterNumbers = new Map(clusters.map(({ id }, i) => [id, i]))
  const numberOf = (id: string | undefined): number => (id === undefined ? undefined : clusterNumbers.get(id)) ?? -1
  return {
    boxes: nodes.map(boxOf),
    edges: edges.map(({ from, to }) => [numbers.get(from) ?? 0, numbers.get(to) ?? 0] as const),
    clusterOf: (nodes as readonly Node[]).map(({ cluster }) => numberOf(cluster)),
    clusters: (clusters as readonly Cluster[]).map((cluster) => ({
      title: titleBox(cluster),
      within: numberOf(cluster.parent),
    })),
    direction,
  }
}

/** The boxes of clusters, the larger first, so that none hides what it holds; and their titles, which lines may cross. */
export function drawClusters(
  { clusters }: GraphAnswer,
  placed: Placed['clusters'],
): { readonly boxes: SVGGElement; readonly titles: SVGGElement } {
  const drawn = (clusters as readonly Cluster[])
    .flatMap((cluster, i) => {
      const box = placed[i]
      return box === undefined ? [] : [{ cluster, box }]
    })
    .sort((a, b) => areaOf(b.box) - areaOf(a.box))
    .map(({ cluster, box: { x, y, width, height } }) => {
      const corner = { x: x - width / 2, y: y - height / 2 }
      return {
        box: s('rect', { class: 'cluster', 'data-cluster': cluster.id, ...corner, width, height, rx: 14 }),
        title: s('text', { class: 'cluster-title', x: corner.x + INSET, y: corner.y + 21 }, labelOf(cluster)),
      }
    })
  return { boxes: s('g', {}, ...drawn.map(({ box }) => box)), titles: s('g', {}, ...drawn.map(({ title }) => title)) }
}

function areaOf({ width, height }: Box): number {
  return width * height
}

function titleBox(cluster: Cluster): Box {
  return { width: Math.ceil(widthOf(labelOf(cluster), TITLE_FONT)) + 2 * INSET, height: TITLE_HEIGHT }
}

function labelOf({ id, label }: Cluster): string {
  return (label ?? id).replaceAll(/\s+/g, ' ')
}
