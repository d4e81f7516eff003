import { soundEntries } from '../analysis/validate.ts'
import { resolveEdge } from '../graph/resolve.ts'
import type { GraphData, GraphEdge } from '../graph/types.ts'
import { NODE_KINDS, PATH_TYPES } from '../graph/types.ts'
import { shownBottleneck } from './bottleneck.ts'
import { figuresOf, graphWithRates, type Figures } from './figures.ts'
import { highlighter, withMarks, type Highlight, type Highlighter } from './highlight.ts'
import { nestingOf, sharedBox, type Nesting } from './nesting.ts'
import { fillsOf, treeOf } from './picture-clusters.ts'
import { withPartBoxes } from './part-boxes.ts'
import { nodeOf } from './picture-node.ts'
import type { Legend, Picture, PictureEdge } from './picture-parts.ts'
import { rowsOf, type RowPlace } from './rows.ts'
import { linesOf, percentText, rateText } from './text.ts'
import { pathStyle, type Theme } from './theme.ts'
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
  /** A long, narrow graph is laid out in rows, by Graphviz. Default: true. */
  readonly wrap?: boolean
}

/** Of a graph with problems, what can be drawn is drawn. @throws THEME_UNKNOWN, NODE_UNKNOWN, EDGE_UNKNOWN, and what the views throw */
export function pictureOf(given: GraphData, options: DrawOptions = {}): Picture {
  const graph = withPartBoxes(soundEntries(given))
  const theme = themeOf(options.theme ?? 'default')
  const page = theme.background === 'transparent' ? '#ffffff' : theme.background
  const figures = figuresOf(graph, options)
  const bottleneck = shownBottleneck(graph, options)
  const heat = options.heat === true
  const { highlight = {} } = options
  const lines = highlighter(highlight)
  const whole = withMarks(graphWithRates(graph, options), highlight)
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

const CAPTION_COLUMNS = 90

/** A sentence in lines that are no wider than a picture likes. */
function wrapped(sentence: string): readonly string[] {
  return linesOf(sentence).flatMap(
    (line) => line.match(new RegExp(`.{1,${CAPTION_COLUMNS}}(?:\\s|$)|\\S+`, 'gu')) ?? [],
  )
}

function edgeOf(
  edge: GraphEdge,
  {
    theme,
    lines,
    most,
    behind,
    turns,
  }: {
    readonly theme: Theme
    readonly lines: Highlighter
    readonly most: number
    readonly behind: string
    readonly turns: boolean
  },
): PictureEdge {
  const { pathType } = resolveEdge(edge)
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

/** Only what the picture holds, and what cannot be seen without words: one colour for all kinds, or one path, says nothing. */
function legendOf({ nodes, edges }: GraphData, theme: Theme, heat: boolean): Legend {
  const kinds = new Set(nodes.map(({ kind }) => kind))
  const paths = new Set(edges.map((edge) => resolveEdge(edge).pathType))
  const isColored = new Set(Object.values(theme.colors)).size > 1
  return {
    kinds: isColored ? NODE_KINDS.filter((kind) => kinds.has(kind)) : [],
    paths: paths.size > 1 ? PATH_TYPES.filter((path) => paths.has(path)) : [],
    heat,
  }
}
