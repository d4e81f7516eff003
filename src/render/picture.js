import { soundEntries } from '../analysis/validate.js'
import { NODE_KINDS, PATH_TYPES } from '../graph/types.js'
import { heatColor, mix, textOn } from './color.js'
import { figuresOf, withRates } from './figures.js'
import { durationText, linesOf, numberText, percentText, rateText } from './text.js'
import { pathStyle } from './theme.js'
import { themeOf } from './themes.js'
/** Of a graph with problems, what can be drawn is drawn. @throws THEME_UNKNOWN, and what the views throw */
export function pictureOf(given, options = {}) {
  const graph = soundEntries(given)
  const theme = themeOf(options.theme ?? 'default')
  const figures = figuresOf(graph, options)
  const heat = options.heat === true
  const shown = (options.views ?? []).reduce((view, apply) => apply(view), withRates(graph, options))
  const most = widest(shown)
  const edges = shown.edges.filter(({ from, to }) => from !== '' && to !== '').map((edge) => edgeOf(edge, theme, most))
  const tree = treeOf(shown, theme, (node) => nodeOf(node, theme, figures, heat))
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
function nodeOf(node, theme, figures, heat) {
  const kind = NODE_KINDS.includes(node.kind) ? node.kind : 'transform'
  const load = heat ? figures.load(node) : undefined
  const fill = load === undefined ? (node.fillcolor ?? theme.colors[kind]) : heatColor(load)
  const details = (theme.details ? detailsOf(node) : []).map((text) => ({ text, role: 'detail' }))
  return {
    id: node.id,
    kind,
    lines: [
      ...linesOf(node.label ?? node.id).map((text) => ({ text, role: 'name' })),
      ...details,
      ...figures.lines(node).map((text) => ({ text, role: 'figure' })),
    ],
    shape: node.shape ?? theme.shapes[kind],
    fill,
    border: theme.nodeBorderColor ?? mix(fill, '#000000', 0.25),
    font: node.fontcolor ?? theme.nodeFontColor ?? textOn(fill),
    width: node.penwidth ?? theme.nodePenWidth,
    style: node.style,
    image: node.image,
    tooltip: linesOf(node.description ?? `${kind} ${node.id}`).join('\n'),
  }
}
/** What a node declares, in short lines. */
function detailsOf(node) {
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
function edgeOf(edge, theme, most) {
  const pathType = edge.pathType ?? 'normal'
  const style = pathStyle(pathType, theme)
  const named = edge.label ?? edge.dataType
  const branch = [
    ...(edge.when === undefined || edge.when === named ? [] : [edge.when]),
    ...(edge.ratio === undefined ? [] : [percentText(edge.ratio)]),
  ]
  return {
    ...style,
    // A line grows with its share of the largest rate, so that the eye follows the bulk of the records.
    width: edge.rate === undefined || most === 0 ? style.width : style.width * (1 + 2 * Math.sqrt(edge.rate / most)),
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
function widest({ edges }) {
  return edges.reduce((most, { rate = 0 }) => (Number.isFinite(rate) ? Math.max(most, rate) : most), 0)
}
/** Nodes and clusters by the cluster that holds them. What lies in an unknown cluster, or in a loop of them, is drawn outside. */
function treeOf({ nodes, clusters }, theme, draw) {
  const parents = new Map(clusters.map(({ id, parent }) => [id, parent]))
  const holderOf = (cluster) => (cluster !== undefined && parents.has(cluster) ? cluster : '')
  const rootOrLoop = (id) => {
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
  const inside = (id) =>
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
function groupBy(items, key) {
  const groups = new Map()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group === undefined) groups.set(key(item), [item])
    else group.push(item)
  }
  return groups
}
/** Only what the picture holds, and what cannot be seen without words: one colour for all kinds, or one path, says nothing. */
function legendOf({ nodes, edges }, theme, heat) {
  const kinds = new Set(nodes.map(({ kind }) => kind))
  const paths = new Set(edges.map(({ pathType = 'normal' }) => pathType))
  const isColored = new Set(Object.values(theme.colors)).size > 1
  return {
    kinds: isColored ? NODE_KINDS.filter((kind) => kinds.has(kind)) : [],
    paths: paths.size > 1 ? PATH_TYPES.filter((path) => paths.has(path)) : [],
    heat,
  }
}
