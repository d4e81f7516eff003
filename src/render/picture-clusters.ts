import type { GraphCluster, GraphData, GraphNode } from '../graph/types.ts'
import { readableOn, textOn } from './color.ts'
import { clusterFigures, type NodeFigures } from './figures.ts'
import type { Nesting } from './nesting.ts'
import type { Picture, PictureCluster, PictureNode } from './picture-parts.ts'
import { linesOf } from './text.ts'
import type { Theme } from './theme.ts'

/** What is seen behind whatever lies in each box. */
export function fillsOf({ boxes, around }: Nesting, theme: Theme, page: string): ReadonlyMap<string, string> {
  const byId = new Map(boxes.map((cluster) => [cluster.id, cluster]))
  const fills = new Map<string, string>([['', page]])
  const fillOf = (id: string): string => {
    const known = fills.get(id)
    if (known !== undefined) return known
    const cluster = byId.get(id)!
    const own = cluster.fillcolor ?? theme.clusterFillColor
    const fill = isFilled(cluster, theme) ? own : fillOf(around.get(id)!)
    fills.set(id, fill)
    return fill
  }
  for (const { id } of boxes) fillOf(id)
  return fills
}

/** Whether a cluster's fill is drawn: where its style says so, or it has a fill of its own. */
function isFilled({ style, fillcolor }: GraphCluster, theme: Theme): boolean {
  if ((fillcolor ?? theme.clusterFillColor) === 'transparent') return false
  const shown = style ?? theme.clusterStyle
  return fillcolor !== undefined || shown.includes('filled') || (shown !== 'rounded' && shown !== '')
}

/** Nodes and boxes by the box that holds them. */
export function treeOf(
  graph: GraphData,
  {
    nesting,
    theme,
    fills,
    page,
    figures,
  }: {
    readonly nesting: Nesting
    readonly theme: Theme
    readonly fills: ReadonlyMap<string, string>
    readonly page: string
    readonly figures: NodeFigures
  },
  draw: (node: GraphNode) => PictureNode,
): Pick<Picture, 'nodes' | 'clusters'> {
  const { boxes, around, boxOf } = nesting
  const nodesIn = groupBy(graph.nodes, ({ cluster }) => boxOf(cluster))
  const boxesIn = groupBy(boxes, ({ id }) => around.get(id)!)
  const told = clusterFigures(graph, nesting, figures)
  const inside = (id: string): readonly PictureCluster[] =>
    (boxesIn.get(id) ?? []).map((cluster) => ({
      id: cluster.id,
      lines: linesOf(cluster.label ?? cluster.id),
      figures: told.get(cluster.id) ?? [],
      style: cluster.style ?? theme.clusterStyle,
      isFilled: isFilled(cluster, theme),
      fill: cluster.fillcolor ?? theme.clusterFillColor,
      border: cluster.color ?? theme.clusterColor,
      font: readableOn(
        fills.get(cluster.id) ?? page,
        cluster.fillcolor === undefined ? theme.clusterFontColor : textOn(cluster.fillcolor),
      ),
      nodes: (nodesIn.get(cluster.id) ?? []).map(draw),
      clusters: inside(cluster.id),
    }))
  return { nodes: (nodesIn.get('') ?? []).map(draw), clusters: inside('') }
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group === undefined) groups.set(key(item), [item])
    else group.push(item)
  }
  return groups
}
