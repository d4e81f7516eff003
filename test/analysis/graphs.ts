/** Graphs for tests: short ways to write them, and random ones for properties. */
import fc from 'fast-check'
import type { GraphData, GraphEdge, GraphNode, NodeKind, PathType } from 'millrace'

/** A graph from `kind id` texts and `from > to` texts; options follow in an object. */
export function graphOf(
  nodes: readonly (GraphNode | string)[],
  edges: readonly (GraphEdge | string)[],
  clusters: GraphData['clusters'] = [],
): GraphData {
  return { name: 'test', nodes: nodes.map(nodeOf), edges: edges.map(edgeOf), clusters }
}

function nodeOf(node: GraphNode | string): GraphNode {
  if (typeof node !== 'string') return node
  const [kind = '', id = ''] = node.split(' ')
  return { kind: kind as NodeKind, id }
}

function edgeOf(edge: GraphEdge | string): GraphEdge {
  if (typeof edge !== 'string') return edge
  const [from = '', to = ''] = edge.split(' > ')
  return { from, to }
}

/** Small directed graphs as edge lists over `size` nodes, with cycles, self-loops and parallel edges. */
export const digraphs = fc.integer({ min: 1, max: 9 }).chain((size) =>
  fc.record({
    size: fc.constant(size),
    edges: fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 18 }),
  }),
)

/** A graph of transforms over such an edge list. */
export function transforms(
  size: number,
  edges: readonly (readonly [number, number])[],
  pathType?: PathType,
): GraphData {
  return {
    name: 'random',
    nodes: Array.from({ length: size }, (_, index) => ({ id: `n${index}`, kind: 'transform' as const })),
    edges: edges.map(([from, to]) => ({
      from: `n${from}`,
      to: `n${to}`,
      ...(pathType === undefined ? {} : { pathType }),
    })),
    clusters: [],
  }
}

/** Such graphs of sources, transforms and sinks, with edges anywhere: into sources and out of sinks too. */
export const flows = digraphs.chain(({ size, edges }) =>
  fc
    .array(fc.constantFrom<NodeKind>('source', 'transform', 'transform', 'sink'), { minLength: size, maxLength: size })
    .map((kinds): GraphData => {
      const graph = transforms(size, edges)
      return { ...graph, nodes: graph.nodes.map((node, index) => ({ ...node, kind: kinds[index]! })) }
    }),
)

/** How a random pipeline is made: a layered graph, forward edges only, plus retries back to an earlier stage. */
interface Recipe {
  readonly rates: readonly number[]
  readonly stages: readonly { latencyMs: number; concurrency: number; selectivity: number; cpu: boolean }[]
  readonly conditionals: readonly number[]
  readonly retries: readonly { from: number; back: number; ratio: number }[]
  readonly extra: readonly { from: number; to: number }[]
}

const recipes: fc.Arbitrary<Recipe> = fc.record({
  rates: fc.array(fc.double({ min: 1, max: 1_000, noNaN: true }), { minLength: 1, maxLength: 3 }),
  stages: fc.array(
    fc.record({
      latencyMs: fc.double({ min: 0.1, max: 50, noNaN: true }),
      concurrency: fc.integer({ min: 1, max: 4 }),
      selectivity: fc.constantFrom(0.5, 1, 1, 1, 3),
      cpu: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  conditionals: fc.array(fc.nat(5), { maxLength: 2 }),
  retries: fc.array(
    fc.record({ from: fc.nat(5), back: fc.nat(5), ratio: fc.double({ min: 0.01, max: 0.3, noNaN: true }) }),
    { maxLength: 2 },
  ),
  extra: fc.array(fc.record({ from: fc.nat(5), to: fc.nat(5) }), { maxLength: 2 }),
})

/** Random pipelines that need no assumptions: chains of stages with conditionals, copies, retries and up to three sources. */
export const pipelines = recipes.map(pipelineOf)

function pipelineOf({ rates, stages, conditionals, retries, extra }: Recipe): GraphData {
  const last = stages.length - 1
  const nodes: GraphNode[] = [
    ...rates.map((rate, index) => ({ kind: 'source' as const, id: `in${index}`, rate })),
    ...stages.map((stage, index) => ({ kind: 'transform' as const, id: `s${index}`, ...stage })),
    { kind: 'sink', id: 'out', latencyMs: 1, concurrency: 2 },
    { kind: 'sink', id: 'side' },
  ]
  const edges: GraphEdge[] = rates.map((_, index) => ({ from: `in${index}`, to: `s${Math.min(index, last)}` }))
  stages.forEach((_, index) => {
    const next = index === last ? 'out' : `s${index + 1}`
    if (!conditionals.includes(index)) {
      edges.push({ from: `s${index}`, to: next })
      return
    }
    nodes.push({ kind: 'conditional', id: `c${index}` })
    edges.push(
      { from: `s${index}`, to: `c${index}` },
      { from: `c${index}`, to: next, when: 'on', ratio: 0.75 },
      { from: `c${index}`, to: 'side', when: 'off', ratio: 0.25 },
    )
  })
  for (const { from, to } of extra) if (from < to && to <= last) edges.push({ from: `s${from}`, to: `s${to}` })
  const tried = new Set<number>()
  for (const { from, back, ratio } of retries) {
    if (from > last || back > from || tried.has(from)) continue
    tried.add(from)
    // So few that even three times as many on the way round do not make the loop grow.
    edges.push({ from: `s${from}`, to: `s${back}`, pathType: 'retry', ratio: ratio / 3 ** (2 * (from - back) + 1) })
  }
  return { name: 'random', nodes, edges, clusters: [] }
}

/** Any nodes with any figures, joined by any edges: loops that grow, ends that nothing reaches, nodes that declare nothing. */
export const anything: fc.Arbitrary<GraphData> = fc
  .record({
    sources: fc.array(
      fc.record(
        {
          rate: fc.constantFrom(0, 10, 1_000),
          rateLimit: fc.constantFrom(5, 100),
          window: fc.constantFrom(1, 16, 1_000),
          concurrency: fc.constantFrom(1, 3),
        },
        { requiredKeys: [] },
      ),
      { minLength: 1, maxLength: 2 },
    ),
    nodes: fc.array(
      fc.record(
        {
          kind: fc.constantFrom<NodeKind>('transform', 'transform', 'sink', 'buffer', 'conditional', 'merge'),
          latencyMs: fc.constantFrom(0, 1, 20),
          concurrency: fc.constantFrom(1, 3),
          selectivity: fc.constantFrom(0, 0.5, 1, 3),
          dispatch: fc.constantFrom('demand', 'broadcast', 'partition' as const),
          batch: fc.constantFrom({ size: 10 }, { size: 100, timeoutMs: 20 }),
          maxInFlight: fc.constantFrom(1, 8),
          cpu: fc.boolean(),
          capacity: fc.constantFrom(1, 100),
          whenFull: fc.constantFrom('block', 'dropNewest', 'dropOldest' as const),
        },
        { requiredKeys: ['kind'] },
      ),
      { minLength: 1, maxLength: 7 },
    ),
    edges: fc.array(
      fc.record(
        {
          from: fc.nat(8),
          to: fc.nat(8),
          ratio: fc.constantFrom(0, 0.2, 0.5, 1),
          pathType: fc.constantFrom<PathType>('normal', 'retry', 'error', 'dead_letter'),
          when: fc.constantFrom('a', 'b'),
          maxDemand: fc.constantFrom(1, 64),
          weight: fc.constantFrom(0, 7),
          fuse: fc.boolean(),
        },
        { requiredKeys: ['from', 'to'] },
      ),
      { minLength: 1, maxLength: 12 },
    ),
  })
  .map(({ sources, nodes, edges }): GraphData => {
    const all = [
      ...sources.map((source): GraphNode => ({ kind: 'source', ...source, id: '' })),
      ...nodes.map((node): GraphNode => ({ ...node, id: '' })),
    ].map((node, index) => ({ ...node, id: `n${index}` }))
    const joined = edges.map(({ from, to, ...rest }) => ({
      ...rest,
      from: `n${from % all.length}`,
      to: `n${sources.length + (to % nodes.length)}`,
    }))
    return { name: 'anything', nodes: all, edges: joined, clusters: [] }
  })
