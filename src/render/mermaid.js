import { heatColor, mix, textOn } from './color.js'
import { nameOf } from './names.js'
import { pictureOf } from './picture.js'
import { percentText } from './text.js'
import { pathStyle } from './theme.js'
/**
 * The graph as a Mermaid flowchart. Names of nodes are made from their ids alone, so a change shows where it was made and
 * nowhere else. The same graph and options give the same text.
 * @throws THEME_UNKNOWN, and what the views throw
 */
export function toMermaid(graph, options = {}) {
  const picture = pictureOf(graph, options)
  const { theme, edges, legend } = picture
  const links = edges.map((edge, index) => ({ ...edge, index }))
  const body = [
    ...picture.nodes.map(nodeLine),
    ...picture.clusters.flatMap((cluster) => clusterLines(cluster, theme)),
    ...links.map(linkLine),
    ...(legend === undefined ? [] : legendLines(legend, theme)),
  ]
  // A text cannot say what is behind the picture; a box around everything can have the colour.
  const hasPage = theme.background !== 'transparent'
  return [
    ...frontMatter(picture),
    `flowchart ${theme.rankdir}`,
    ...indented([
      ...(hasPage ? ['subgraph page[" "]', ...indented([`direction ${theme.rankdir}`, ...body]), 'end'] : body),
      ...nodesOf(picture).map((node) => nodeStyle(node, theme)),
      ...clustersOf(picture.clusters).flatMap(clusterStyle),
      ...styleLines(links, theme),
      ...(legend === undefined ? [] : legendStyles(legend, theme, edges.length)),
      ...(hasPage ? [styleLine('page', { fill: theme.background, stroke: 'none' })] : []),
    ]),
    '',
  ].join('\n')
}
/** The title and what Mermaid takes of the theme. JSON is YAML too, and its strings need no further escaping. */
function frontMatter({ title, theme }) {
  const config = {
    theme: 'base',
    flowchart: {
      curve: CURVES[theme.splines] ?? 'basis',
      nodeSpacing: Math.round(theme.nodeSep * 72),
      rankSpacing: Math.round(theme.rankSep * 72),
    },
    themeVariables: {
      fontFamily: theme.nodeFontName,
      fontSize: `${theme.nodeFontSize + 2}px`,
      edgeLabelBackground: theme.background === 'transparent' ? '#ffffff' : theme.background,
    },
  }
  return [
    '---',
    // Mermaid takes what looks like a tag out of a title.
    ...(title.length === 0
      ? []
      : [`title: ${JSON.stringify(title.join(' ').replaceAll('<', '‹').replaceAll('>', '›'))}`]),
    `config: ${JSON.stringify(config)}`,
    '---',
  ]
}
const CURVES = {
  line: 'linear',
  polyline: 'linear',
  ortho: 'step',
  curved: 'natural',
}
/** Mermaid's brackets for the shapes of Graphviz that it has something like. */
const BRACKETS = {
  house: ['([', '])'],
  box3d: ['[[', ']]'],
  cylinder: ['[(', ')]'],
  diamond: ['{', '}'],
  Mdiamond: ['{', '}'],
  hexagon: ['{{', '}}'],
  trapezium: ['[/', '\\]'],
  invtrapezium: ['[\\', '/]'],
  parallelogram: ['[/', '/]'],
  invhouse: ['[', ']'],
  circle: ['((', '))'],
  doublecircle: ['(((', ')))'],
  ellipse: ['([', '])'],
  oval: ['([', '])'],
  cds: ['>', ']'],
}
function nodeLine({ id, shape, lines }) {
  const [open, close] = BRACKETS[shape] ?? ['[', ']']
  const texts = lines.map(({ text, role }) =>
    role === 'name' ? `<b>${escaped(text)}</b>` : `<small>${escaped(text)}</small>`,
  )
  return `${nameOf('n', id)}${open}"${texts.join('<br/>')}"${close}`
}
function linkLine({ from, to, style, lines }) {
  const arrow = style === 'solid' ? '-->' : '-.->'
  const label = lines.length === 0 ? '' : `|"${lines.map(escaped).join('<br/>')}"|`
  return `${nameOf('n', from)} ${arrow}${label} ${nameOf('n', to)}`
}
function clusterLines(cluster, theme) {
  return [
    `subgraph ${nameOf('c', cluster.id)}["${cluster.lines.map(escaped).join('<br/>')}"]`,
    // Mermaid takes an empty subgraph for a node; this keeps it a box.
    ...(cluster.nodes.length + cluster.clusters.length === 0 ? [`  ${nameOf('e', cluster.id)}[ ]`] : []),
    ...indented([
      `direction ${theme.rankdir}`,
      ...cluster.nodes.map(nodeLine),
      ...cluster.clusters.flatMap((inner) => clusterLines(inner, theme)),
    ]),
    'end',
  ]
}
function nodeStyle({ id, fill, border, font, width, style }, theme) {
  const dash = dashOf(style ?? '')
  return styleLine(nameOf('n', id), {
    fill,
    stroke: border,
    color: font,
    'stroke-width': `${width}px`,
    'font-size': `${theme.nodeFontSize + 2}px`,
    ...(dash === undefined ? {} : { 'stroke-dasharray': dash }),
  })
}
function clusterStyle({ id, fill, border, font, style, nodes, clusters }) {
  const dash = dashOf(style)
  const box = styleLine(nameOf('c', id), {
    fill: style.includes('filled') || fill !== '#ffffff' ? fill : 'none',
    stroke: border,
    color: font,
    ...(style.includes('rounded') ? { rx: '8px' } : {}),
    ...(dash === undefined ? {} : { 'stroke-dasharray': dash }),
  })
  const empty = nodes.length + clusters.length === 0
  return empty ? [box, styleLine(nameOf('e', id), { fill: 'none', stroke: 'none' })] : [box]
}
/** One line for all edges that look alike. */
function styleLines(links, theme) {
  const groups = new Map()
  for (const { color, style, width, font, index } of links) {
    const dash = dashOf(style)
    const look = valuesOf({
      stroke: color,
      color: font,
      'stroke-width': `${Math.round(width * 10) / 10}px`,
      // A comma would end the value.
      'font-family': theme.edgeFontName.split(',')[0] ?? '',
      'font-size': `${theme.edgeFontSize + 2}px`,
      ...(dash === undefined ? {} : { 'stroke-dasharray': dash }),
    })
    const group = groups.get(look)
    if (group === undefined) groups.set(look, [index])
    else group.push(index)
  }
  return [...groups].map(([look, indices]) => `linkStyle ${indices.join(',')} ${look}`)
}
function dashOf(style) {
  return style.includes('dashed') ? '6 4' : style.includes('dotted') ? '2 3' : undefined
}
function styleLine(name, values) {
  return `style ${name} ${valuesOf(values)}`
}
/** A colour or style of the user's that would break out of its place is left out. */
function valuesOf(values) {
  return Object.entries(values)
    .filter(([, value]) => /^[#\w .%()-]+$/.test(value))
    .map(([name, value]) => `${name}:${value}`)
    .join(',')
}
function legendLines({ kinds, paths, heat }, theme) {
  const boxes = heat
    ? HEAT_STEPS.map((load) => `legend_heat_${load}["${escaped(percentText(load / 100))}"]`)
    : kinds.map((kind) => {
        const [open, close] = BRACKETS[theme.shapes[kind]] ?? ['[', ']']
        return `legend_${kind}${open}"${kind}"${close}`
      })
  const lines = paths.map((path, index) => {
    const arrow = pathStyle(path, theme).style === 'solid' ? '-->' : '-.->'
    return `legend_from_${index}[ ] ${arrow}|"${path.replace('_', ' ')}"| legend_to_${index}[ ]`
  })
  if (boxes.length + lines.length === 0) return []
  // Invisible links keep the boxes in a row; they come last, because styles count links.
  const row = boxes.map((box) => /^\w+/.exec(box)?.[0] ?? '').join(' ~~~ ')
  const body = [`direction ${theme.rankdir}`, ...boxes, ...lines, ...(boxes.length > 1 ? [row] : [])]
  return ['subgraph legend["Legend"]', ...indented(body), 'end']
}
const HEAT_STEPS = [0, 25, 50, 75, 100]
function legendStyles({ kinds, paths, heat }, theme, firstLink) {
  if (!heat && kinds.length + paths.length === 0) return []
  const box = (name, fill) => {
    return styleLine(name, { fill, stroke: mix(fill, '#000000', 0.25), color: theme.nodeFontColor ?? textOn(fill) })
  }
  const links = paths.map((path, index) => {
    const font = path === 'normal' ? theme.edgeFontColor : pathStyle(path, theme).color
    return { ...pathStyle(path, theme), font, index: firstLink + index }
  })
  return [
    ...(heat
      ? HEAT_STEPS.map((load) => box(`legend_heat_${load}`, heatColor(load / 100)))
      : kinds.map((kind) => box(`legend_${kind}`, theme.colors[kind]))),
    ...paths.flatMap((_, index) => {
      return ['from', 'to'].map((end) => styleLine(`legend_${end}_${index}`, { fill: 'none', stroke: 'none' }))
    }),
    ...styleLines(links, theme),
    styleLine('legend', { fill: 'none', stroke: theme.clusterColor, color: theme.clusterFontColor }),
  ]
}
function nodesOf({ nodes, clusters }) {
  return [...nodes, ...clusters.flatMap(nodesOf)]
}
function clustersOf(clusters) {
  return clusters.flatMap((cluster) => [cluster, ...clustersOf(cluster.clusters)])
}
/** Text inside quotes. Mermaid has its own entities, and reads comments, directives and Markdown in texts too. */
function escaped(text) {
  return text.replaceAll(/[#"<>&`%\\*_[\]{}|;]/g, (character) => `#${character.charCodeAt(0)};`)
}
function indented(lines) {
  return lines.map((line) => `  ${line}`)
}
