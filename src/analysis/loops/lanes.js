import { NODE_OPTIONS, RUN_OPTIONS } from '../../options.js'
/** Records on a lane for which neither its edges nor a buffer say anything. */
export const DEFAULT_MAX_DEMAND = RUN_OPTIONS.maxDemand.default
/** Defaults of the option tables that the analysis counts with. */
export const SOURCE_DEFAULTS = { window: NODE_OPTIONS.window.default, concurrency: NODE_OPTIONS.concurrency.default }
/** Kinds that get threads. Conditionals, merges and buffers live on the lanes between them. */
export function isStage(kind) {
  return kind === 'source' || kind === 'transform' || kind === 'sink'
}
/** Cuts a cycle into lanes: a new one begins at each stage. It must begin at a stage. */
export function lanePaths(graph, cycle, maxDemand) {
  const paths = []
  let edges = []
  for (const edge of cycle) {
    edges.push(edge)
    if (!isStage(graph.node(graph.to(edge)).kind)) continue
    paths.push(edges)
    edges = []
  }
  return paths.map((path) => laneOf(graph, path, maxDemand))
}
function laneOf(graph, edges, maxDemand) {
  const [from, to] = [graph.from(edges[0] ?? -1), graph.to(edges.at(-1) ?? -1)]
  const [writers, readers] = [workersOf(graph, from), workersOf(graph, to)]
  const rings = writers * readers
  const buffers = edges.map((edge) => graph.node(graph.to(edge))).filter(({ kind }) => kind === 'buffer')
  const demand = edges.map((edge) => graph.edge(edge).maxDemand).find((said) => said !== undefined)
  const held = buffers.reduce((sum, { capacity = NODE_OPTIONS.capacity.default }) => sum + capacity, 0)
  const fused = edges.some((edge) => graph.edge(edge).fuse === true)
  return {
    edges,
    rings,
    ringCapacity: fused ? 0 : (demand ?? (buffers.length > 0 ? Math.ceil(held / rings) : maxDemand)),
    fullRings: (waitsForAll(graph, from) ? writers : 1) * (waitsForAll(graph, to) ? readers : 1),
    isSaid: fused || demand !== undefined || buffers.length > 0,
    drops: buffers.some(({ whenFull = 'block' }) => whenFull !== 'block'),
    buffer: demand === undefined ? buffers[0]?.id : undefined,
  }
}
/**
 * A writer that may choose among the workers of a stage waits only while all of them hold back, so all of them must be
 * waiting themselves before anything stands still. One that may not choose (by key, to all, in turn) can wait for one.
 */
function waitsForAll(graph, stage) {
  const { dispatch, partitionBy } = graph.node(stage)
  return (dispatch ?? (partitionBy === undefined ? 'demand' : 'partition')) === 'demand'
}
export function workersOf(graph, node) {
  return graph.node(node).concurrency ?? SOURCE_DEFAULTS.concurrency
}
