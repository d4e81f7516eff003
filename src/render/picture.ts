import { soundEntries } from '../analysis/validate.ts'
import type { GraphCluster, GraphData, GraphEdge, GraphNode, NodeKind, PathType } from '../graph/types.ts'
import { NODE_KINDS, PATH_TYPES } from '../graph/types.ts'
import { bottleneckOf, type PointedAt } from './bottleneck.ts'
import { heatColor, mix, readableOn, textOn } from './color.ts'
import { clusterFigures, figuresOf, withRates, type Figures, type NodeFigures } from './figures.ts'
import { highlighter, withMarks, type Highlight, type Highlighter } from './highlight.ts'
import { nestingOf, sharedBox, type Nesting } from './nesting.ts'
import { rowsOf, type RowPlace } from './rows.ts'
import { durationText, linesOf, numberText, percentText, rateText } from './text.ts'
import { pathStyle, type PathStyle, type Theme } from './theme.ts'
import { themeOf, type ThemeName } from './themes.ts'
import { membersOf } from './views/members.ts'

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
  /** A long, narrow graph is laid out in rows, by Graphviz. Default: true. */
  readonly wrap?: boolean
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
  /** It limits what the graph can do: drawn with a ring around it. */
  readonly isBottleneck: boolean
  /** Where it lies, in a picture of several rows. */
  readonly place: RowPlace | undefined
}

export interface PictureEdge extends PathStyle {
  readonly from: string
  readonly to: string
  readonly pathType: PathType
  readonly lines: readonly string[]
  /** Colour that its text shall have, and what lies behind it. */
  readonly ink: string
  readonly behind: string
  /** It leads from one row to another. */
  readonly turns: boolean
}

export interface PictureCluster {
  readonly id: string
  readonly lines: readonly string[]
  /** What goes into it and comes out of it. */
  readonly figures: readonly string[]
  readonly isFilled: boolean
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
  /** What the figures say in one sentence. */
  readonly caption: readonly string[]
  /** What everything is drawn on: the theme's background, or white where that is transparent. */
  readonly page: string
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
  const page = theme.background === 'transparent' ? '#ffffff' : theme.background
  const figures = figuresOf(graph, options)
  const bottleneck = bottleneckOf(graph, options)
  const heat = options.heat === true
  const { highlight = {} } = options
  const lines = highlighter(highlight)
  const whole = withMarks(withRates(graph, options), highlight)
  const shown = (options.views ?? []).reduce((view, apply) => apply(view), whole)
  const nesting = nestingOf(shown.clusters)
  const ends = shown.edges.filter(({ from, to }) => from !== '' && to !== '')
  const boxes = new Map(shown.nodes.map(({ id, cluster }) => [id, nesting.boxOf(cluster)]))
  const rows = options.wrap === false ? undefined : rowsIn(shown, ends, nesting)
  const fills = fillsOf(nesting, theme, page)
  const most = widest(shown)
  const edges = ends.map((edge) => {
    const box = sharedBox(nesting, boxes.get(edge.from) ?? '', boxes.get(edge.to) ?? '')
    const turns = rows?.get(edge.from)?.row !== rows?.get(edge.to)?.row
    return edgeOf(edge, { theme, lines, most, behind: fills.get(box) ?? page, turns })
  })
  const tree = treeOf(shown, { nesting, theme, fills, page, figures }, (node) =>
    nodeOf(node, {
      theme,
      lines,
      figures,
      heat,
      bottleneck,
      place: rows?.get(node.id),
      behind: fills.get(boxes.get(node.id) ?? '') ?? page,
    }),
  )
  const title = options.title === true ? graph.name : options.title
  return {
    name: graph.name,
    title: typeof title === 'string' && title !== '' ? linesOf(title) : [],
    caption: bottleneck === undefined ? [] : wrapped(bottleneck.sentence),
    page,
    theme,
    ...tree,
    edges,
    legend: options.legend === true ? legendOf(shown, theme, heat) : undefined,
  }
}

function rowsIn(
  { nodes }: GraphData,
  edges: readonly GraphEdge[],
  { around, boxOf }: Nesting,
): ReadonlyMap<string, RowPlace> | undefined {
  const known = new Set(nodes.map(({ id }) => id))
  const outermost = new Map<string, string>()
  for (const { id, cluster } of nodes) {
    let box = boxOf(cluster)
    while (box !== '' && around.get(box) !== '') box = around.get(box)!
    outermost.set(id, box)
  }
  return rowsOf({
    nodes: [...known],
    edges: edges.filter(({ from, to }) => known.has(from) && known.has(to)),
    boxOf: (node) => outermost.get(node)!,
  })
}

/** What is seen behind whatever lies in each box. */
function fillsOf({ boxes, around }: Nesting, theme: Theme, page: string): ReadonlyMap<string, string> {
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

const CAPTION_COLUMNS = 90

/** A sentence in lines that are no wider than a picture likes. */
function wrapped(sentence: string): readonly string[] {
  return linesOf(sentence).flatMap(
    (line) => line.match(new RegExp(`.{1,${CAPTION_COLUMNS}}(?:\\s|$)|\\S+`, 'gu')) ?? [],
  )
}

/** What decides how nodes and edges look, beside themselves. */
interface Look {
  readonly theme: Theme
  readonly lines: Highlighter
}

function nodeOf(
  node: GraphNode,
  {
    theme,
    lines,
    figures,
    heat,
    bottleneck,
    place,
    behind,
  }: Look & {
    readonly figures: NodeFigures
    readonly heat: boolean
    readonly bottleneck: PointedAt | undefined
    readonly place: RowPlace | undefined
    readonly behind: string
  },
): PictureNode {
  const kind = NODE_KINDS.includes(node.kind) ? node.kind : 'transform'
  const load = heat ? figures.load(node) : undefined
  const fill = load === undefined ? (node.fillcolor ?? theme.colors[kind]) : heatColor(load)
  const details: Line[] = (theme.details ? detailsOf(node) : []).map((text) => ({ text, role: 'detail' }))
  const width = node.penwidth ?? theme.nodePenWidth
  const isBottleneck = bottleneck?.node !== undefined && membersOf(node).includes(bottleneck.node)
  const outline = lines.node(node, {
    color: isBottleneck ? textOn(behind) : (theme.nodeBorderColor ?? mix(fill, '#000000', 0.25)),
    width: isBottleneck ? width + RING_WIDTH : width,
  })
  const tooltip = node.description ?? `${kind} ${node.id}`
  return {
    id: node.id,
    kind,
    lines: [
      ...linesOf(node.label ?? node.id).map((text): Line => ({ text, role: 'name' })),
      ...details,
      ...figures.lines(node).map((text): Line => ({ text, role: 'figure' })),
      ...(isBottleneck ? [{ text: 'the bottleneck', role: 'figure' } as const] : []),
    ],
    shape: node.shape ?? theme.shapes[kind],
    fill,
    border: outline.color,
    font: node.fontcolor ?? readableOn(fill, theme.nodeFontColor ?? textOn(fill)),
    width: outline.width,
    style: node.style,
    image: node.image,
    tooltip: linesOf(isBottleneck ? `${tooltip}\n${bottleneck.sentence}` : tooltip).join('\n'),
    isBottleneck,
    place,
  }
}

/** What the outline of the bottleneck is wider, in points. */
const RING_WIDTH = 2

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

function edgeOf(
  edge: GraphEdge,
  {
    theme,
    lines,
    most,
    behind,
    turns,
  }: Look & { readonly most: number; readonly behind: string; readonly turns: boolean },
): PictureEdge {
  const pathType = edge.pathType ?? 'normal'
  const style = pathStyle(pathType, theme)
  const named = edge.label ?? edge.dataType
  const branch = [
    ...(edge.when === undefined || edge.when === named ? [] : [edge.when]),
    ...(edge.ratio === undefined ? [] : [percentText(edge.ratio)]),
  ]
  // A line grows with its share of the largest rate, so that the eye follows the bulk of the records.
  const share = edge.rate === Infinity ? 1 : most === 0 ? 0 : (edge.rate ?? 0) / most
  const factor = share > 0 ? 1 + 2 * Math.sqrt(share) : 1
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
    ink: pathType === 'normal' ? theme.edgeFontColor : style.color,
    behind,
    turns,
  }
}

function widest({ edges }: GraphData): number {
  return edges.reduce((most, { rate = 0 }) => (Number.isFinite(rate) ? Math.max(most, rate) : most), 0)
}

/** Nodes and boxes by the box that holds them. */
function treeOf(
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
