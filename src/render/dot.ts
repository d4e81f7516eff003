import type { GraphData } from '../graph/types.ts'
import { heatColor, mix, textOn } from './color.ts'
import { nameOf } from './names.ts'
import {
  pictureOf,
  type DrawOptions,
  type Legend,
  type Line,
  type Picture,
  type PictureCluster,
  type PictureEdge,
  type PictureNode,
} from './picture.ts'
import { cleanText, percentText } from './text.ts'
import { pathStyle, type PathStyle, type Theme } from './theme.ts'

/**
 * The graph in DOT, the language of Graphviz. The same graph and options give the same text.
 * @throws THEME_UNKNOWN, and what the views throw
 */
export function toDot(graph: GraphData, options: DrawOptions = {}): string {
  const picture = pictureOf(graph, options)
  const { theme } = picture
  return [
    `digraph ${quoted(picture.name)} {`,
    ...indented([
      `graph ${attributes(graphAttributes(picture))}`,
      `node ${attributes({ fontname: theme.nodeFontName, fontsize: theme.nodeFontSize })}`,
      `edge ${attributes({
        fontname: theme.edgeFontName,
        fontsize: theme.edgeFontSize,
        arrowsize: 0.8,
      })}`,
      ...picture.nodes.map((node) => nodeLine(node, theme)),
      ...picture.clusters.flatMap((cluster) => clusterLines(cluster, theme)),
      ...picture.edges.map((edge) => edgeLine(edge)),
      ...(picture.legend === undefined ? [] : legendLines(picture.legend, theme, freeName(picture))),
    ]),
    '}',
    '',
  ].join('\n')
}

function graphAttributes({ theme, title, name }: Picture): Attributes {
  return {
    rankdir: theme.rankdir,
    splines: theme.splines,
    nodesep: theme.nodeSep,
    ranksep: theme.rankSep,
    bgcolor: theme.background,
    pad: 0.3,
    fontname: theme.nodeFontName,
    tooltip: name,
    ...(title.length === 0
      ? {}
      : {
          label: html(title.map((line) => `<b>${escaped(line)}</b>`).join('<br/>')),
          labelloc: 't',
          fontsize: theme.nodeFontSize + 6,
          fontcolor: theme.clusterFontColor,
        }),
  }
}

function nodeLine(node: PictureNode, theme: Theme): string {
  return `${nodeName(node.id)} ${attributes({
    id: nameOf('node', node.id),
    class: node.kind,
    label: html(nodeLabel(node, theme)),
    tooltip: node.tooltip,
    shape: node.shape,
    style: node.style ?? 'filled',
    fillcolor: node.fill,
    color: node.border,
    fontcolor: node.font,
    penwidth: node.width,
    // Slanted shapes leave little room for text.
    ...(['diamond', 'trapezium', 'house', 'invhouse'].includes(node.shape)
      ? { margin: '0.02,0.03' }
      : { margin: '0.16,0.08' }),
    ...(node.image === undefined ? {} : { image: node.image }),
  })}`
}

function nodeLabel({ lines, fill, font }: PictureNode, theme: Theme): string {
  const small = Math.max(6, theme.nodeFontSize - 3)
  const soft = mix(font, fill, 0.12)
  const text = ({ text, role }: Line): string => {
    if (role === 'name') return `<b>${escaped(text)}</b>`
    return `<font point-size="${small}" color="${escaped(soft)}">${escaped(text)}</font>`
  }
  return lines.map(text).join('<br/>')
}

function edgeLine({ from, to, lines, color, style, width, font, pathType }: PictureEdge): string {
  return `${nodeName(from)} -> ${nodeName(to)} ${attributes({
    class: pathType,
    color,
    style,
    penwidth: round(width),
    fontcolor: font,
    ...(lines.length === 0 ? {} : { label: edgeLabel(lines) }),
  })}`
}

/** A small empty line below keeps the text off the edge. */
function edgeLabel(lines: readonly string[]): Html {
  const rows = lines.map((line) => `&#160;${escaped(line)}&#160;`)
  return html([...rows, '<font point-size="4">&#160;</font>'].join('<br/>'))
}

function clusterLines(cluster: PictureCluster, theme: Theme): string[] {
  return [
    `subgraph ${quoted(`cluster_${cluster.id}`)} {`,
    ...indented([
      `graph ${attributes({
        id: nameOf('cluster', cluster.id),
        label: html(cluster.lines.map((line) => `<b>${escaped(line)}</b>`).join('<br/>')),
        labeljust: 'l',
        fontsize: theme.nodeFontSize,
        fontcolor: cluster.font,
        style: filled(cluster.style, cluster.fill),
        fillcolor: cluster.fill,
        color: cluster.border,
        margin: 14,
      })}`,
      ...cluster.nodes.map((node) => nodeLine(node, theme)),
      ...cluster.clusters.flatMap((inner) => clusterLines(inner, theme)),
    ]),
    '}',
  ]
}

/** Graphviz fills a cluster only where its style says so. */
function filled(style: string, fill: string): string {
  return fill === 'transparent' || style.includes('filled') || style === 'rounded' || style === ''
    ? style
    : `${style},filled`
}

/** The legend: one node without edges, with a table of the kinds (or the scale of the heat) and of the path types. */
function legendLines({ kinds, paths, heat }: Legend, theme: Theme, name: string): string[] {
  const boxes = heat
    ? [0, 0.25, 0.5, 0.75, 1].map((load) => filledCell(heatColor(load), percentText(load)))
    : kinds.map((kind) => filledCell(theme.colors[kind], kind))
  const lines = paths.map((path) => {
    const text = `<font color="${escaped(theme.clusterFontColor)}">${path.replace('_', ' ')}</font>`
    return `<td>${sampleLine(pathStyle(path, theme))}</td><td align="left">${text}</td>`
  })
  const rows = [
    { cells: boxes, spacing: 4 },
    { cells: lines, spacing: 6 },
  ].flatMap(({ cells, spacing }) =>
    cells.length === 0 ? [] : [`<tr><td align="left">${table(`<tr>${cells.join('')}</tr>`, spacing)}</td></tr>`],
  )
  const label = html(table(rows.join(''), 0))
  return [`${quoted(name)} ${attributes({ id: 'legend', shape: 'plaintext', fontsize: 9, label, tooltip: 'Legend' })}`]
}

function filledCell(fill: string, text: string): string {
  return `<td bgcolor="${escaped(fill)}" cellpadding="4"><font color="${textOn(fill)}">${escaped(text)}</font></td>`
}

/** A piece of line, made of cells: one long, three dashes or five dots. */
function sampleLine({ color, style }: PathStyle): string {
  const [pieces, width] = { solid: [1, 28], dashed: [3, 7], dotted: [5, 3] }[style] as [number, number]
  const piece = `<td bgcolor="${escaped(color)}" width="${width}" height="2" fixedsize="true"></td>`
  return table(`<tr>${piece.repeat(pieces)}</tr>`, 3)
}

function table(rows: string, spacing: number): string {
  return `<table border="0" cellborder="0" cellspacing="${spacing}" cellpadding="0">${rows}</table>`
}

/** A name for the legend that no node has. */
function freeName({ nodes, clusters }: Picture): string {
  const ids = new Set(idsOf(nodes, clusters))
  let name = 'legend'
  while (ids.has(name)) name += '_'
  return name
}

function idsOf(nodes: readonly PictureNode[], clusters: readonly PictureCluster[]): readonly string[] {
  return [...nodes.map(({ id }) => id), ...clusters.flatMap((cluster) => idsOf(cluster.nodes, cluster.clusters))]
}

/** A value that is written between `<` and `>`: HTML-like, already escaped. */
interface Html {
  readonly html: string
}
type Attributes = Readonly<Record<string, string | number | Html>>

function html(text: string): Html {
  return { html: text }
}

function attributes(values: Attributes): string {
  const list = Object.entries(values).map(([name, value]) => {
    if (typeof value === 'number') return `${name}=${value}`
    return `${name}=${typeof value === 'string' ? quoted(value) : `<${value.html}>`}`
  })
  return `[${list.join(', ')}]`
}

/** The name of a node: its id, unless that holds characters that cannot be written. */
function nodeName(id: string): string {
  return quoted(cleanText(id) === id ? id : nameOf('node', id))
}

/**
 * A string for DOT. Inside quotes only the quote is special to the parser, but many attributes read backslashes as escapes,
 * so these are doubled everywhere.
 */
function quoted(text: string): string {
  return `"${cleanText(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}

/** Text inside HTML-like labels. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

function round(width: number): number {
  return Math.round(width * 100) / 100
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}
