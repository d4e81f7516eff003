import type { GraphData } from '../graph/types.ts'
import { heatColor, mixColors, readableOn, textOn } from './color.ts'
import { nameOf } from './names.ts'
import { pictureOf, type DrawOptions } from './picture.ts'
import type { Legend, DrawnLine, Picture, PictureCluster, PictureEdge, PictureNode } from './picture-parts.ts'
import { cleanText, percentText, sizeText } from './text.ts'
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
      ...rowLines(picture),
      ...(picture.legend === undefined ? [] : legendLines(picture.legend, picture, freeName(picture))),
    ]),
    '}',
    '',
  ].join('\n')
}

function graphAttributes({ theme, title, caption, page, name }: Picture): Attributes {
  const head = [
    ...title.map((line) => `<b>${escaped(line)}</b>`),
    ...caption.map((line) => `<font point-size="${pointsText(theme.nodeFontSize)}">${escaped(line)}</font>`),
  ]
  return {
    rankdir: theme.rankdir,
    splines: theme.splines,
    nodesep: theme.nodeSep,
    ranksep: theme.rankSep,
    bgcolor: theme.background,
    pad: 0.3,
    fontname: theme.nodeFontName,
    tooltip: name,
    ...(head.length === 0
      ? {}
      : {
          label: html(head.join('<br/>')),
          labelloc: 't',
          fontsize: theme.nodeFontSize + 6,
          fontcolor: readableOn(page, theme.clusterFontColor),
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
    ...(node.isBottleneck ? { peripheries: 2 } : {}),
    // Slanted shapes leave little room for text.
    ...(['diamond', 'trapezium', 'house', 'invhouse'].includes(node.shape)
      ? { margin: '0.02,0.03' }
      : { margin: '0.16,0.08' }),
    ...(node.image === undefined ? {} : { image: node.image }),
  })}`
}

function nodeLabel({ lines, fill, font }: PictureNode, theme: Theme): string {
  const soft = readableOn(fill, mixColors(font, fill, 0.12))
  const text = ({ text, role }: DrawnLine): string => {
    if (role === 'name') return `<b>${escaped(text)}</b>`
    return `<font point-size="${smaller(theme)}" color="${escaped(soft)}">${escaped(text)}</font>`
  }
  return lines.map(text).join('<br/>')
}

/** A size of letters inside a label. */
function pointsText(points: number): string {
  return sizeText(Math.max(6, points)) ?? '12'
}

/** The same of what is no name. */
function smaller({ nodeFontSize }: Theme): string {
  return pointsText(nodeFontSize - 3)
}

function edgeLine({ from, to, lines, color, style, width, ink, behind, pathType, turns }: PictureEdge): string {
  return `${nodeName(from)} -> ${nodeName(to)} ${attributes({
    class: pathType,
    color,
    style,
    penwidth: width,
    fontcolor: readableOn(behind, ink),
    ...(turns ? { constraint: 'false' } : {}),
    ...(lines.length === 0 ? {} : { label: edgeLabel(lines, behind) }),
  })}`
}

/**
 * What lies behind an edge is behind its text as well, whatever else the text comes to lie on. A small empty line below keeps
 * it off the edge.
 */
function edgeLabel(lines: readonly string[], behind: string): Html {
  const text = lines.map((line) => `&#160;${escaped(line)}&#160;`).join('<br/>')
  const gap = '<td height="4" fixedsize="true" width="1"></td>'
  return html(table(`<tr><td bgcolor="${escaped(behind)}">${text}</td></tr><tr>${gap}</tr>`, 0))
}

/** Rows begin below each other. Graphviz cannot say so of nodes that lie in boxes. */
function rowLines({ nodes, clusters }: Picture): string[] {
  if (clusters.length > 0) return []
  const firsts = nodes.filter(({ place }) => place?.isFirst === true)
  const names = firsts.toSorted((a, b) => a.place!.row - b.place!.row).map(({ id }) => nodeName(id))
  return names.length < 2 ? [] : [`{ rank=same; ${names.join(' -> ')} [style=invis] }`]
}

function clusterLines(cluster: PictureCluster, theme: Theme): string[] {
  return [
    `subgraph ${quoted(`cluster_${cluster.id}`)} {`,
    ...indented([
      `graph ${attributes({
        id: nameOf('cluster', cluster.id),
        label: html(clusterLabel(cluster, theme)),
        labeljust: 'l',
        fontsize: theme.nodeFontSize,
        fontcolor: cluster.font,
        // Graphviz fills a cluster only where its style says so.
        style: cluster.isFilled && !cluster.style.includes('filled') ? `${cluster.style},filled` : cluster.style,
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

function clusterLabel({ lines, figures }: PictureCluster, theme: Theme): string {
  const rows = [
    ...lines.map((line) => `<b>${escaped(line)}</b>`),
    ...figures.map((line) => `<font point-size="${smaller(theme)}">${escaped(line)}</font>`),
  ]
  return rows.length === 1 ? rows.join('') : rows.map((row) => `${row}<br align="left"/>`).join('')
}

/** The legend: one node without edges, with a table of the kinds (or the scale of the heat) and of the path types. */
function legendLines({ kinds, paths, heat }: Legend, { theme, page }: Picture, name: string): string[] {
  const ink = readableOn(page, theme.clusterFontColor)
  const boxes = heat
    ? [0, 0.25, 0.5, 0.75, 1].map((load) => filledCell(heatColor(load), percentText(load)))
    : kinds.map((kind) => filledCell(theme.colors[kind], kind))
  const lines = paths.map((path) => {
    const text = `<font color="${escaped(ink)}">${path.replace('_', ' ')}</font>`
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

/** A number that is none has no place in DOT: Graphviz takes its default. */
function attributes(values: Attributes): string {
  const list = Object.entries(values).flatMap(([name, value]) => {
    if (typeof value === 'number') {
      const size = sizeText(value)
      return size === undefined ? [] : [`${name}=${size}`]
    }
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

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}
