import type { GraphData } from '../graph/types.ts'
import { heatColor, mixColors, readableOn, textOn } from './color.ts'
import { nameOf } from './names.ts'
import { pictureOf, type DrawOptions } from './picture.ts'
import type { Legend, Picture, PictureCluster, PictureEdge, PictureNode } from './picture-parts.ts'
import { percentText, sizeText } from './text.ts'
import { pathStyle, type PathStyle, type Theme } from './theme.ts'

/**
 * The graph as a Mermaid flowchart. Names of nodes are made from their ids alone, so a change shows where it was made and
 * nowhere else. The same graph and options give the same text.
 * @throws THEME_UNKNOWN, and what the views throw
 */
export function toMermaid(graph: GraphData, options: DrawOptions = {}): string {
  const picture = pictureOf(graph, options)
  const { theme, edges, legend, page } = picture
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
      ...styleLines(
        links.map((link) => ({ ...link, font: readableOn(page, link.ink) })),
        theme,
      ),
      ...(legend === undefined ? [] : legendStyles(legend, picture)),
      ...(hasPage ? [styleLine('page', { fill: theme.background, stroke: 'none' })] : []),
    ]),
    '',
  ].join('\n')
}

/** The title and what Mermaid takes of the theme. JSON is YAML too, and its strings need no further escaping. */
function frontMatter({ title, caption, theme, page }: Picture): string[] {
  const head = [title.join(' '), caption.join(' ')].filter((part) => part !== '').join(': ')
  const config = {
    theme: 'base',
    flowchart: {
      curve: CURVES[theme.splines] ?? 'basis',
      nodeSpacing: pixels(theme.nodeSep * 72),
      rankSpacing: pixels(theme.rankSep * 72),
    },
    themeVariables: {
      fontFamily: theme.nodeFontName,
      fontSize: px(theme.nodeFontSize + 2),
      edgeLabelBackground: page,
    },
  }
  return [
    '---',
    // Mermaid takes what looks like a tag out of a title.
    ...(head === '' ? [] : [`title: ${JSON.stringify(head.replaceAll('<', '‹').replaceAll('>', '›'))}`]),
    `config: ${JSON.stringify(config)}`,
    '---',
  ]
}

const CURVES: Readonly<Record<string, string>> = {
  line: 'linear',
  polyline: 'linear',
  ortho: 'step',
  curved: 'natural',
}

/** Mermaid's brackets for the shapes of Graphviz that it has something like. */
const BRACKETS: Readonly<Record<string, readonly [string, string]>> = {
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

function nodeLine({ id, shape, lines }: PictureNode): string {
  const [open, close] = BRACKETS[shape] ?? ['[', ']']
  const texts = lines.map(({ text, role }) =>
    role === 'name' ? `<b>${escaped(text)}</b>` : `<small>${escaped(text)}</small>`,
  )
  return `${nameOf('n', id)}${open}"${texts.join('<br/>')}"${close}`
}

function linkLine({ from, to, style, lines }: PictureEdge): string {
  const arrow = style === 'solid' ? '-->' : '-.->'
  const label = lines.length === 0 ? '' : `|"${lines.map(escaped).join('<br/>')}"|`
  return `${nameOf('n', from)} ${arrow}${label} ${nameOf('n', to)}`
}

function clusterLines(cluster: PictureCluster, theme: Theme): string[] {
  return [
    `subgraph ${nameOf('c', cluster.id)}["${[...cluster.lines, ...cluster.figures].map(escaped).join('<br/>')}"]`,
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

function nodeStyle({ id, fill, border, font, width, style }: PictureNode, theme: Theme): string {
  const dash = dashOf(style ?? '')
  return styleLine(nameOf('n', id), {
    fill,
    stroke: border,
    color: font,
    'stroke-width': px(width),
    'font-size': px(theme.nodeFontSize + 2),
    ...(dash === undefined ? {} : { 'stroke-dasharray': dash }),
  })
}

function clusterStyle({ id, fill, border, font, style, isFilled, nodes, clusters }: PictureCluster): string[] {
  const dash = dashOf(style)
  const box = styleLine(nameOf('c', id), {
    fill: isFilled ? fill : 'none',
    stroke: border,
    color: font,
    ...(style.includes('rounded') ? { rx: '8px' } : {}),
    ...(dash === undefined ? {} : { 'stroke-dasharray': dash }),
  })
  const empty = nodes.length + clusters.length === 0
  return empty ? [box, styleLine(nameOf('e', id), { fill: 'none', stroke: 'none' })] : [box]
}

/** One line for all edges that look alike. */
function styleLines(
  links: readonly (PathStyle & { readonly font: string; readonly index: number })[],
  theme: Theme,
): string[] {
  const groups = new Map<string, number[]>()
  for (const { color, style, width, font, index } of links) {
    const dash = dashOf(style)
    const look = valuesOf({
      stroke: color,
      color: font,
      'stroke-width': px(Math.round(width * 10) / 10),
      // A comma would end the value.
      'font-family': theme.edgeFontName.split(',')[0] ?? '',
      'font-size': px(theme.edgeFontSize + 2),
      ...(dash === undefined ? {} : { 'stroke-dasharray': dash }),
    })
    const group = groups.get(look)
    if (group === undefined) groups.set(look, [index])
    else group.push(index)
  }
  return [...groups].map(([look, indices]) => `linkStyle ${indices.join(',')} ${look}`)
}

function dashOf(style: string): string | undefined {
  return style.includes('dashed') ? '6 4' : style.includes('dotted') ? '2 3' : undefined
}

function styleLine(name: string, values: Readonly<Record<string, string>>): string {
  return `style ${name} ${valuesOf(values)}`
}

/** A size in pixels; empty, and so left out, where it is no number. */
function px(size: number): string {
  const text = sizeText(size)
  return text === undefined ? '' : `${text}px`
}

/** A whole number; 0 for what is none. */
function pixels(size: number): number {
  return Math.round(Number(sizeText(size) ?? 0))
}

/** A colour or style of the user's that would break out of its place is left out. */
function valuesOf(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .filter(([, value]) => /^[#\w .%()-]+$/.test(value) && !DIRECTION.test(value))
    .map(([name, value]) => `${name}:${value}`)
    .join(',')
}

function legendLines({ kinds, paths, heat }: Legend, theme: Theme): string[] {
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

function legendStyles({ kinds, paths, heat }: Legend, { theme, page, edges }: Picture): string[] {
  if (!heat && kinds.length + paths.length === 0) return []
  const box = (name: string, fill: string): string => {
    return styleLine(name, {
      fill,
      stroke: mixColors(fill, '#000000', 0.25),
      color: readableOn(fill, theme.nodeFontColor ?? textOn(fill)),
    })
  }
  const links = paths.map((path, index) => {
    const ink = path === 'normal' ? theme.edgeFontColor : pathStyle(path, theme).color
    return { ...pathStyle(path, theme), font: readableOn(page, ink), index: edges.length + index }
  })
  return [
    ...(heat
      ? HEAT_STEPS.map((load) => box(`legend_heat_${load}`, heatColor(load / 100)))
      : kinds.map((kind) => box(`legend_${kind}`, theme.colors[kind]))),
    ...paths.flatMap((_, index) => {
      return ['from', 'to'].map((end) => styleLine(`legend_${end}_${index}`, { fill: 'none', stroke: 'none' }))
    }),
    ...styleLines(links, theme),
    styleLine('legend', { fill: 'none', stroke: theme.clusterColor, color: readableOn(page, theme.clusterFontColor) }),
  ]
}

function nodesOf({ nodes, clusters }: Pick<Picture, 'nodes' | 'clusters'>): readonly PictureNode[] {
  return [...nodes, ...clusters.flatMap(nodesOf)]
}

function clustersOf(clusters: readonly PictureCluster[]): readonly PictureCluster[] {
  return clusters.flatMap((cluster) => [cluster, ...clustersOf(cluster.clusters)])
}

/** Mermaid takes a line that says this anywhere for a statement. */
const DIRECTION = /direction\s/i

/**
 * Text inside quotes. Mermaid has its own entities, and reads comments, directives and Markdown in texts too; a line with `style`
 * and a colon in it loses its last entity.
 */
function escaped(text: string): string {
  return text.replaceAll(/[#"<>&`%\\*_[\]{}|;:]|d(?=irection\s)/gi, (character) => `#${character.charCodeAt(0)};`)
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}
