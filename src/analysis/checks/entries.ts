import type { GraphCluster, GraphData, GraphEdge, GraphNode } from '../../graph/types.ts'
import { isModuleUrl } from '../../graph/module-url.ts'
import { NODE_KINDS } from '../../graph/types.ts'
import { CLUSTER_OPTIONS, EDGE_OPTIONS, NODE_OPTIONS } from '../../options/index.ts'
import type { ReportProblem } from '../problems.ts'
import { quote, showValue } from '../problems.ts'
import { checkOptions, isPlain, isText } from './options.ts'

/**
 * Every entry by itself. What is no object, or has no id, is reported and left out, and so is every option with a problem:
 * the graph that is returned holds only what the later checks can look at.
 */
export function checkEntries(graph: GraphData, report: ReportProblem): GraphData {
  if (!isText(graph.name)) {
    report(
      'GRAPH_NAME_INVALID',
      `The name of the graph must be a text that is not empty, not ${showValue(graph.name)}.`,
    )
  }
  if (graph.module !== undefined && !(isText(graph.module) && isModuleUrl(graph.module))) {
    report('MODULE_INVALID', `The module of the graph is ${showValue(graph.module)}.`)
  }
  const nodes = objects(graph.nodes, 'nodes', report).flatMap((node) => checkNode(node, report))
  checkDuplicates(nodes, 'node', report)
  const clusters = objects(graph.clusters, 'clusters', report).flatMap((cluster) => checkCluster(cluster, report))
  checkDuplicates(clusters, 'cluster', report)
  // Edges keep their places, because problems name them by index.
  const given = isList(graph.edges) ? graph.edges : []
  if (given !== graph.edges) report('ENTRY_INVALID', `\`edges\` is ${showValue(graph.edges)}, not an array.`)
  const edges = given.map((edge, index) => checkEdge(edge, index, report))
  return { name: isText(graph.name) ? graph.name : '', module: graph.module, nodes, clusters, edges }
}

function checkNode(node: GraphNode, report: ReportProblem): GraphNode[] {
  if (!isText(node.id)) {
    report('NODE_ID_INVALID', `A node has the id ${showValue(node.id)}.`)
    return []
  }
  const place = { node: node.id }
  if (!NODE_KINDS.includes(node.kind)) {
    report('NODE_KIND_UNKNOWN', `Node ${quote(node.id)} is of kind ${showValue(node.kind)}.`, place)
    return [{ id: node.id, kind: node.kind }]
  }
  const title = `Node ${quote(node.id)}`
  const check = { given: node, table: NODE_OPTIONS, place, title, ignore: ['id', 'kind'], kind: node.kind }
  return [without(node, checkOptions(check, report))]
}

function checkCluster(cluster: GraphCluster, report: ReportProblem): GraphCluster[] {
  if (!isText(cluster.id)) {
    report('CLUSTER_ID_INVALID', `A cluster has the id ${showValue(cluster.id)}.`)
    return []
  }
  const place = { cluster: cluster.id }
  const title = `Cluster ${quote(cluster.id)}`
  return [
    without(cluster, checkOptions({ given: cluster, table: CLUSTER_OPTIONS, place, title, ignore: ['id'] }, report)),
  ]
}

function checkEdge(edge: GraphEdge, index: number, report: ReportProblem): GraphEdge {
  if (!isPlain(edge)) {
    report('ENTRY_INVALID', `edges[${index}] is ${showValue(edge)}, not an object.`, { edge: index })
    return { from: '', to: '' }
  }
  const place = { edge: index }
  const title = `Edge ${quote(edge.from)} → ${quote(edge.to)}`
  const checked = without(
    edge,
    checkOptions({ given: edge, table: EDGE_OPTIONS, place, title, ignore: ['from', 'to'] }, report),
  )
  const noText = (['from', 'to'] as const).filter((end) => !isText(edge[end]))
  for (const end of noText)
    report('EDGE_NODE_UNKNOWN', `${title}: \`${end}\` is ${showValue(edge[end])}.`, { ...place, option: end })
  return noText.length === 0 ? checked : { ...checked, ...Object.fromEntries(noText.map((end) => [end, ''])) }
}

function without<T extends object>(entry: T, keys: readonly string[]): T {
  if (keys.length === 0) return entry
  return Object.fromEntries(Object.entries(entry).filter(([key]) => !keys.includes(key))) as T
}

function objects<T>(entries: readonly T[], name: string, report: ReportProblem): T[] {
  if (!isList(entries)) {
    report('ENTRY_INVALID', `\`${name}\` is ${showValue(entries)}, not an array.`)
    return []
  }
  return [...entries].filter((entry, index) => {
    if (!isPlain(entry)) report('ENTRY_INVALID', `${name}[${index}] is ${showValue(entry)}, not an object.`)
    return isPlain(entry)
  })
}

function checkDuplicates(
  entries: readonly { readonly id: string }[],
  what: 'node' | 'cluster',
  report: ReportProblem,
): void {
  const counts = new Map<string, number>()
  for (const { id } of entries) counts.set(id, (counts.get(id) ?? 0) + 1)
  const code = what === 'node' ? 'NODE_ID_DUPLICATE' : 'CLUSTER_ID_DUPLICATE'
  for (const [id, count] of counts) {
    if (count > 1) report(code, `${count} ${what}s have the id ${quote(id)}.`, { [what]: id })
  }
}

/** Clusters that nodes and clusters name must be there, and none may lie in itself. */
export function checkClusters(graph: GraphData, report: ReportProblem): void {
  const parents = new Map(graph.clusters.map(({ id, parent }) => [id, parent]))
  const missing = (cluster: string | undefined): cluster is string => isText(cluster) && !parents.has(cluster)
  for (const { id, cluster } of graph.nodes) {
    if (!missing(cluster)) continue
    report('CLUSTER_UNKNOWN', `Node ${quote(id)} lies in ${quote(cluster)}, which is no cluster.`, {
      node: id,
      cluster,
    })
  }
  for (const { id, parent } of graph.clusters) {
    if (!missing(parent)) continue
    report('CLUSTER_UNKNOWN', `Cluster ${quote(id)} lies in ${quote(parent)}, which is no cluster.`, { cluster: id })
  }
  for (const loop of parentLoops(parents)) {
    const text = [...loop, loop[0]].map(quote).join(' in ')
    report('CLUSTER_LOOP', `Clusters lie in each other: ${text}.`, { cluster: loop[0] ?? '' })
  }
}

/** Loops among the parents. Each cluster has one parent at most, so it is enough to follow each trail once. */
function parentLoops(parents: ReadonlyMap<string, string | undefined>): string[][] {
  const trailOf = new Map<string, string>()
  const loops: string[][] = []
  for (const start of parents.keys()) {
    const trail: string[] = []
    let id: string | undefined = start
    while (id !== undefined && parents.has(id) && !trailOf.has(id)) {
      trailOf.set(id, start)
      trail.push(id)
      id = parents.get(id)
    }
    if (id !== undefined && trailOf.get(id) === start) loops.push(trail.slice(trail.indexOf(id)))
  }
  return loops
}

/** `Array.isArray` would widen the elements to `any`. */
function isList(value: readonly unknown[]): boolean {
  return Array.isArray(value)
}
