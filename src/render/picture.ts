import { soundEntries } from '../analysis/validate.ts'
import type { GraphData, GraphEdge, GraphNode, NodeKind, PathType } from '../graph/types.ts'
import { NODE_KINDS, PATH_TYPES } from '../graph/types.ts'
import { heatColor, mix, textOn } from './color.ts'
import { figuresOf, withRates, type Figures, type NodeFigures } from './figures.ts'
import { highlighter, withMarks, type Highlight, type Highlighter } from './highlight.ts'
import { durationText, linesOf, numberText, percentText, rateText } from './text.ts'
import { pathStyle, type PathStyle, type Theme } from './theme.ts'
import { themeOf, type ThemeName } from './themes.ts'

/** What a picture shows and how, whatever its format. */
export interface DrawOptions extends Figures {
  readonly theme?: ThemeName | Theme
  /** Applied in this order, after the figures are known. */
  readonly views?: readonly ((graph: GraphData) => GraphData)[]
  /** True: the name of the graph. Default: none. */
  readonly title?: boolean | string
  readonly legend?: boolean
  /** Colours stages by utilisation and buffers by fill. Needs `simulation` or `measurements`. */
  readonly heat?: boolean
  /** Nodes and edges of the graph, before the views, that are drawn in strong lines: a `Path`, say. Default: none. */
  readonly highlight?: Highlight | undefined
}

export interface Line {
  readonly text: string
  readonly role: 'name' | 'detail' | 'figure'
}

export interface PictureNode {
  readonly id: string
  readonly kind: NodeKind
  readonly lines: readonly Line[]
  readonly shape: string
  readonly fill: string
  readonly border: string
  readonly font: string
  readonly width: number
  readonly style: string | undefined
  readonly image: string | undefined
  readonly tooltip: string
}

export interface PictureEdge extends PathStyle {
  readonly from: string
  readonly to: string
  readonly pathType: PathType
  readonly lines: readonly string[]
  readonly font: string
}

export interface PictureCluster {
  readonly id: string
  readonly lines: readonly string[]
  readonly style: string
  readonly fill: string
  readonly border: string
  readonly font: string
  readonly nodes: readonly PictureNode[]
  readonly clusters: readonly PictureCluster[]
}

/** A graph ready to be written in any format: every colour and text decided. */
export interface Picture {
  readonly name: string
  readonly title: readonly string[]
  readonly theme: Theme
  readonly nodes: readonly PictureNode[]
  readonly clusters: readonly PictureCluster[]
  readonly edges: readonly PictureEdge[]
  readonly legend: Legend | undefined
}

export interface Legend {
  readonly kinds: readonly NodeKind[]
  readonly paths: readonly PathType[]
  readonly heat: boolean
}

/** Of a graph with problems, what can be drawn is drawn. @throws THEME_UNKNOWN, NODE_UNKNOWN, EDGE_UNKNOWN, and what the views throw */
export function pictureOf(given: GraphData, options: DrawOptions = {}): Picture {
  const graph = soundEntries(given)
  const theme = themeOf(options.theme ?? 'default')
  const figures = figuresOf(graph, options)
  const heat = options.heat === true
  const { highlight = {} } = options
  const lines = highlighter(highlight)
  const whole = withMarks(withRates(graph, options), highlight)
  const shown = (options.views ?? []).reduce((view, apply) => apply(view), whole)
  const most = widest(shown)
  const edges = shown.edges
    .filter(({ from, to }) => from !== '' && to !== '')
    .map((edge) => edgeOf(edge, { theme, lines, most }))
  const tree = treeOf(shown, theme, (node) => nodeOf(node, { theme, lines, figures, heat }))
  const title = options.title === true ? graph.name : options.title
  return {
    name: graph.name,
    title: typeof title === 'string' && title !== '' ? linesOf(title) : [],
    theme,
    ...tree,
    edges,
    legend: options.legend === true ? legendOf(shown, theme, heat) : undefined,
  }
}

/** What decides how nodes and edges look, beside themselves. */
interface Look {
  readonly theme: Theme
  readonly lines: Highlighter
}

function nodeOf(
  node: GraphNode,
  { theme, lines, figures, heat }: Look & { readonly figures: NodeFigures; readonly heat: boolean },
): PictureNode {
  const kind = NODE_KINDS.includes(node.kind) ? node.kind : 'transform'
  const load = heat ? figures.load(node) : undefined
  const fill = load === undefined ? (node.fillcolor ?? theme.colors[kind]) : heatColor(load)
  const details: Line[] = (theme.details ? detailsOf(node) : []).map((text) => ({ text, role: 'detail' }))
  const outline = lines.node(node, {
    color: theme.nodeBorderColor ?? mix(fill, '#000000', 0.25),
    width: node.penwidth ?? theme.nodePenWidth,
  })
  return {
    id: node.id,
    kind,
    lines: [
      ...linesOf(node.label ?? node.id).map((text): Line => ({ text, role: 'name' })),
      ...details,
      ...figures.lines(node).map((text): Line => ({ text, role: 'figure' })),
    ],
    shape: node.shape ?? theme.shapes[kind],
    fill,
    border: outline.color,
    font: node.fontcolor ?? theme.nodeFontColor ?? textOn(fill),
    width: outline.width,
    style: node.style,
    image: node.image,
    tooltip: linesOf(node.description ?? `${kind} ${node.id}`).join('\n'),
  }
}

/** What a node declares, in short lines. */
function detailsOf(node: GraphNode): readonly string[] {
  const {
    rate,
    rateLimit,
    latencyMs,
    serviceRate,
    concurrency = 1,
    capacity,
    whenFull = 'block',
    selectivity = 1,
  } = node
  const workers = concurrency === 1 ? '' : ` × ${concurrency}`
  const service = serviceRate === undefined ? latencyMs : undefined
  const work = [
    ...(service === undefined
      ? concurrency === 1
        ? []
        : [`${concurrency} workers`]
      : [durationText(service) + workers]),
    ...(serviceRate === undefined ? [] : [`serves ${rateText(serviceRate)}`]),
    ...(selectivity === 1 ? [] : [`${numberText(selectivity)} out per in`]),
  ]
  return [
    ...(rate === undefined ? [] : [rateText(rate)]),
    ...(rateLimit === undefined ? [] : [`at most ${rateText(rateLimit)}`]),
    ...(work.length === 0 ? [] : [work.join(' · ')]),
    ...(capacity === undefined ? [] : [`holds ${numberText(capacity)}`]),
    ...(whenFull === 'block' ? [] : [whenFull === 'dropOldest' ? 'drops the oldest' : 'drops the newest']),
  ]
}

function edgeOf(edge: GraphEdge, { theme, lines, most }: Look & { readonly most: number }): PictureEdge {
  const pathType = edge.pathType ?? 'normal'
  const style = pathStyle(pathType, theme)
  const named = edge.label ?? edge.dataType
  const branch = [
    ...(edge.when === undefined || edge.when === named ? [] : [edge.when]),
    ...(edge.ratio === undefined ? [] : [percentText(edge.ratio)]),
  ]
  // A line grows with its share of the largest rate, so that the eye follows the bulk of the records.
  const factor = edge.rate === undefined || most === 0 ? 1 : 1 + 2 * Math.sqrt(edge.rate / most)
  return {
    ...style,
    ...lines.edge(edge, { color: style.color, width: style.width * factor }),
    from: edge.from,
    to: edge.to,
    pathType,
    lines: [
      ...(branch.length === 0 ? [] : linesOf(branch.join(' · '))),
      ...(named === undefined ? [] : linesOf(named)),
      ...(edge.rate === undefined ? [] : [rateText(edge.rate)]),
    ],
    font: pathType === 'normal' ? theme.edgeFontColor : style.color,
  }
}

function widest({ edges }: GraphData): number {
  return edges.reduce((most, { rate = 0 }) => (Number.isFinite(rate) ? Math.max(most, rate) : most), 0)
}

/** Nodes and clusters by the cluster that holds them. What lies in an unknown cluster, or in a loop of them, is drawn outside. */
function treeOf(
  { nodes, clusters }: GraphData,
  theme: Theme,
  draw: (node: GraphNode) => PictureNode,
): Pick<Picture, 'nodes' | 'clusters'> {
  const parents = new Map(clusters.map(({ id, parent }) => [id, parent]))
  const holderOf = (cluster: string | undefined): string =>
    cluster !== undefined && parents.has(cluster) ? cluster : ''
  const rootOrLoop = (id: string): string => {
    const seen = new Set([id])
    for (let at = parents.get(id); at !== undefined; at = parents.get(at)) {
      if (at === id) return ''
      if (seen.has(at)) break
      seen.add(at)
    }
    return holderOf(parents.get(id))
  }
  const nodesIn = groupBy(nodes, ({ cluster }) => holderOf(cluster))
  const unique = [...new Map(clusters.map((cluster) => [cluster.id, cluster])).values()]
  const clustersIn = groupBy(unique, ({ id }) => rootOrLoop(id))
  const inside = (id: string): readonly PictureCluster[] =>
    (clustersIn.get(id) ?? []).map((cluster) => ({
      id: cluster.id,
      lines: linesOf(cluster.label ?? cluster.id),
      style: cluster.style ?? theme.clusterStyle,
      fill: cluster.fillcolor ?? theme.clusterFillColor,
      border: cluster.color ?? theme.clusterColor,
      font: cluster.fillcolor === undefined ? theme.clusterFontColor : textOn(cluster.fillcolor),
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

/** Only what the picture holds, and what cannot be seen without words: one colour for all kinds, or one path, says nothing. */
function legendOf({ nodes, edges }: GraphData, theme: Theme, heat: boolean): Legend {
  const kinds = new Set(nodes.map(({ kind }) => kind))
  const paths = new Set(edges.map(({ pathType = 'normal' }) => pathType))
  const isColored = new Set(Object.values(theme.colors)).size > 1
  return {
    kinds: isColored ? NODE_KINDS.filter((kind) => kinds.has(kind)) : [],
    paths: paths.size > 1 ? PATH_TYPES.filter((path) => paths.has(path)) : [],
    heat,
  }
}
