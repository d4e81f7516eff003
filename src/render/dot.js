import { heatColor, mix, textOn } from './color.js'
import { nameOf } from './names.js'
import { pictureOf } from './picture.js'
import { cleanText, percentText } from './text.js'
import { pathStyle } from './theme.js'
/**
 * The graph in DOT, the language of Graphviz. The same graph and options give the same text.
 * @throws THEME_UNKNOWN, and what the views throw
 */
export function toDot(graph, options = {}) {
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
function graphAttributes({ theme, title, name }) {
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
function nodeLine(node, theme) {
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
function nodeLabel({ lines, fill, font }, theme) {
  const small = Math.max(6, theme.nodeFontSize - 3)
  const soft = mix(font, fill, 0.12)
  const text = ({ text, role }) => {
    if (role === 'name') return `<b>${escaped(text)}</b>`
    return `<font point-size="${small}" color="${escaped(soft)}">${escaped(text)}</font>`
  }
  return lines.map(text).join('<br/>')
}
function edgeLine({ from, to, lines, color, style, width, font, pathType }) {
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
function edgeLabel(lines) {
  const rows = lines.map((line) => `&#160;${escaped(line)}&#160;`)
  return html([...rows, '<font point-size="4">&#160;</font>'].join('<br/>'))
}
function clusterLines(cluster, theme) {
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
function filled(style, fill) {
  return fill === 'transparent' || style.includes('filled') || style === 'rounded' || style === ''
    ? style
    : `${style},filled`
}
/** The legend: one node without edges, with a table of the kinds (or the scale of the heat) and of the path types. */
function legendLines({ kinds, paths, heat }, theme, name) {
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
function filledCell(fill, text) {
  return `<td bgcolor="${escaped(fill)}" cellpadding="4"><font color="${textOn(fill)}">${escaped(text)}</font></td>`
}
/** A piece of line, made of cells: one long, three dashes or five dots. */
function sampleLine({ color, style }) {
  const [pieces, width] = { solid: [1, 28], dashed: [3, 7], dotted: [5, 3] }[style]
  const piece = `<td bgcolor="${escaped(color)}" width="${width}" height="2" fixedsize="true"></td>`
  return table(`<tr>${piece.repeat(pieces)}</tr>`, 3)
}
function table(rows, spacing) {
  return `<table border="0" cellborder="0" cellspacing="${spacing}" cellpadding="0">${rows}</table>`
}
/** A name for the legend that no node has. */
function freeName({ nodes, clusters }) {
  const ids = new Set(idsOf(nodes, clusters))
  let name = 'legend'
  while (ids.has(name)) name += '_'
  return name
}
function idsOf(nodes, clusters) {
  return [...nodes.map(({ id }) => id), ...clusters.flatMap((cluster) => idsOf(cluster.nodes, cluster.clusters))]
}
function html(text) {
  return { html: text }
}
function attributes(values) {
  const list = Object.entries(values).map(([name, value]) => {
    if (typeof value === 'number') return `${name}=${value}`
    return `${name}=${typeof value === 'string' ? quoted(value) : `<${value.html}>`}`
  })
  return `[${list.join(', ')}]`
}
/** The name of a node: its id, unless that holds characters that cannot be written. */
function nodeName(id) {
  return quoted(cleanText(id) === id ? id : nameOf('node', id))
}
/**
 * A string for DOT. Inside quotes only the quote is special to the parser, but many attributes read backslashes as escapes,
 * so these are doubled everywhere.
 */
function quoted(text) {
  return `"${cleanText(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}
/** Text inside HTML-like labels. */
function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
function round(width) {
  return Math.round(width * 100) / 100
}
function indented(lines) {
  return lines.map((line) => `  ${line}`)
}
