/** Random graphs with random options, for rehearsals: stages that wait, and rates that no machine is too slow for. */
import { changeGraph } from '#src/analysis/flow/what-if.js'
import { type GraphData, type GraphEdge, type GraphNode } from 'millrace'
import { simulate } from 'millrace/analysis'

/** Numbers from 0 to less than 1, the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A chain of stages with whatever may be said of them: pools, broadcasts, batches, fused pairs, windows, buffers, retries, branches. */
export function randomGraph(seed: number, isBurning = false): GraphData {
  const random = randomOf(seed)
  const pick = <T>(...values: readonly T[]): T => values[Math.floor(random() * values.length)]!
  const chance = (share: number): boolean => random() < share
  const nodes: GraphNode[] = [
    {
      kind: 'source',
      id: 'in',
      window: pick(500, 2_000),
      ...(chance(0.7) ? { rate: pick(40, 100, 400) } : {}),
      ...(chance(0.2) ? { rateLimit: pick(30, 80) } : {}),
    },
  ]
  const edges: GraphEdge[] = []
  const stages = 2 + Math.floor(random() * 3)
  let before = 'in'
  for (let i = 0; i < stages; i++) {
    const isLast = i === stages - 1
    const id = isLast ? 'out' : `s${i}`
    const mayFuse = i > 0 && before === `s${i - 1}` && chance(0.25)
    const concurrency = mayFuse ? (nodes.at(-1)!.concurrency ?? 1) : pick(1, 1, 2, 3)
    const options: Partial<GraphNode> = { latencyMs: pick(6, 10, 15, 20), concurrency }
    if (isBurning && chance(0.4)) Object.assign(options, { cpu: true })
    if (!mayFuse && chance(0.25)) Object.assign(options, { dispatch: pick('broadcast', 'roundRobin') })
    if (!mayFuse && !isLast && options.cpu !== true && chance(0.2)) Object.assign(options, { maxInFlight: pick(2, 4) })
    if (!isLast && chance(0.3)) Object.assign(options, { selectivity: pick(0.5, 2) })
    if (!mayFuse && isLast && chance(0.3)) Object.assign(options, { batch: { size: pick(2, 4), timeoutMs: 50 } })
    nodes.push({ kind: isLast ? 'sink' : 'transform', id, ...options })
    const lane = mayFuse ? { fuse: true } : { maxDemand: pick(8, 16) }
    if (!mayFuse && chance(0.2)) {
      nodes.splice(-1, 0, { kind: 'buffer', id: `q${i}`, capacity: 12 })
      edges.push({ from: before, to: `q${i}` }, { from: `q${i}`, to: id })
    } else edges.push({ from: before, to: id, ...lane })
    if (!isLast && options.selectivity === undefined && options.dispatch === undefined && !mayFuse && chance(0.2)) {
      edges.push({ from: id, to: id, pathType: 'retry', ratio: 0.2 })
    }
    before = id
  }
  const graph = { name: `random ${seed}`, nodes: withoutFusedOverlap(nodes, edges), edges, clusters: [] }
  return chance(0.4) ? withTightWindow(graph) : graph
}

/**
 * A window that limits the source by itself, to 60 % of what the stages can take. Where the two are near each other, less comes
 * through than either lets; and with several records of one, retries and batches a window is an estimate.
 */
function withTightWindow(graph: GraphData): GraphData {
  if (!isPlain(graph)) return graph
  const at = (window: number): GraphData => changeGraph(graph, { nodes: { in: { window } } })
  const rate = (window: number): number =>
    simulate(changeGraph(at(window), { nodes: { in: { rate: undefined, rateLimit: undefined } } })).throughput
  const most = Math.floor((0.6 * rate(100_000)) / rate(1))
  return most < 1 ? graph : at(most)
}

/** Each record stays one, and is served once by each stage that it comes to. */
export function isPlain({ nodes, edges }: GraphData): boolean {
  const keepsOne = nodes.every(({ selectivity, batch, dispatch }) => {
    return selectivity === undefined && batch === undefined && dispatch !== 'broadcast'
  })
  return keepsOne && !edges.some(({ pathType, fuse }) => pathType === 'retry' || fuse === true)
}

/** What is fused is called within the calls of the stage before, which then do not overlap. */
function withoutFusedOverlap(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): GraphNode[] {
  const heads = new Set(edges.filter(({ fuse }) => fuse === true).map(({ from }) => from))
  return nodes.map((node) => (heads.has(node.id) && 'maxInFlight' in node ? without(node, 'maxInFlight') : node))
}

function without(node: GraphNode, option: string): GraphNode {
  return Object.fromEntries(Object.entries(node).filter(([name]) => name !== option)) as unknown as GraphNode
}
