/** The best ways between two nodes, and the edges that ways imply. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type GraphData, type PathMeasure } from 'millrace'
import { path, PATH_MEASURES, transitiveReduction } from 'millrace/analysis'
import fc from 'fast-check'
import { DirectedGraph } from 'graphology'
import { dijkstra, singleSourceLength } from 'graphology-shortest-path'
import { digraphs, graphOf, transforms } from './graphs.js'

/** A short, slow and narrow way from `in` to `out` by `slow`; a long one by `fast` and `wide`, with a costly edge between. */
const graph = graphOf(
  [
    { kind: 'source', id: 'in', rateLimit: 900 },
    { kind: 'transform', id: 'slow', latencyMs: 20 },
    { kind: 'transform', id: 'fast', latencyMs: 2 },
    { kind: 'transform', id: 'wide', latencyMs: 5, concurrency: 4 },
    { kind: 'sink', id: 'out', latencyMs: 1 },
    { kind: 'sink', id: 'dead' },
  ],
  [
    'in > slow',
    { from: 'slow', to: 'out', ratio: 0.5 },
    'in > fast',
    { from: 'fast', to: 'wide', weight: 3 },
    'wide > out',
    { from: 'fast', to: 'dead', pathType: 'error', ratio: 0.1 },
    { from: 'wide', to: 'dead', pathType: 'dead_letter', ratio: 0.2 },
    { from: 'wide', to: 'fast', pathType: 'retry', ratio: 0.3 },
  ],
)

function best(by: PathMeasure, from = 'in', to = 'out'): readonly unknown[] | undefined {
  const found = path(graph, from, to, { by })
  return found && [found.nodes.join(' '), found.edges.join(' '), found.figure]
}

test('hops: the fewest edges, and the default', () => {
  assert.deepEqual(path(graph, 'in', 'out'), { nodes: ['in', 'slow', 'out'], edges: [0, 1], by: 'hops', figure: 2 })
})

test('latency: service at every node and the weights of edges, in ms', () => {
  assert.deepEqual(best('latency'), ['in fast wide out', '2 3 4', 2 + 3 + 5 + 1])
})

test('weight: what the edges add', () => {
  assert.deepEqual(best('weight'), ['in slow out', '0 1', 0])
  assert.deepEqual(best('weight', 'fast'), ['fast wide out', '3 4', 3])
})

test('throughput: the way whose narrowest stage is the widest, and nothing is assumed where nothing is declared', () => {
  assert.deepEqual(best('throughput'), ['in fast wide out', '2 3 4', 500])
  assert.deepEqual(best('throughput', 'in', 'in'), ['in', '', 900])
  assert.deepEqual(best('throughput', 'dead', 'dead'), ['dead', '', Infinity])
})

test('throughput: of equally wide ways the shortest, also where a longer one was wider for a while', () => {
  const narrow = graphOf(
    [
      'source a',
      'transform b',
      { kind: 'transform', id: 'c', serviceRate: 50 },
      { kind: 'sink', id: 'd', serviceRate: 10 },
    ],
    ['a > b', 'b > d', 'a > c', 'c > b', 'a > d'],
  )
  assert.deepEqual(path(narrow, 'a', 'd', { by: 'throughput' })?.edges, [4])
})

test('risk: the share that is given up on the way; retries give nothing up, and what was given up goes no way', () => {
  const [way, edges, figure] = best('risk', 'fast') ?? []
  assert.deepEqual([way, edges], ['fast wide out', '3 4'])
  assert.ok(Math.abs((figure as number) - (1 - 0.9 * 0.8)) < 1e-12)
  assert.deepEqual(best('risk'), ['in slow out', '0 1', 0])
  assert.equal(best('risk', 'in', 'dead'), undefined)
})

test('no way is undefined, an unknown node an error, and the filter decides which edges there are', () => {
  assert.equal(path(graph, 'out', 'in'), undefined)
  assert.equal(path(graph, 'in', 'dead', { paths: ['normal'] }), undefined)
  assert.throws(() => path(graph, 'nobody', 'out'), { code: 'NODE_UNKNOWN' })
  assert.throws(() => path(graph, 'in', 'nobody'), { code: 'NODE_UNKNOWN' })
})

/** Random weights and service times on a random graph. */
const weighted = digraphs.chain(({ size, edges }) =>
  fc
    .tuple(
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: size, maxLength: size }),
      fc.array(fc.nat(20), { minLength: edges.length, maxLength: edges.length }),
    )
    .map(([times, weights]): GraphData => {
      const plain = transforms(size, edges)
      return {
        ...plain,
        nodes: plain.nodes.map((node, index) => ({ ...node, latencyMs: times[index]! })),
        edges: plain.edges.map((edge, index) => ({ ...edge, weight: weights[index]! })),
      }
    }),
)

test('the best ways agree with graphology, and with a search of all ways, on random graphs', () => {
  fc.assert(
    fc.property(weighted, (each) => {
      const oracle = new DirectedGraph()
      for (const { id } of each.nodes) oracle.addNode(id)
      for (const { from, to, weight } of each.edges) {
        const before = oracle.hasEdge(from, to) ? (oracle.getEdgeAttribute(from, to, 'weight') as number) : Infinity
        oracle.mergeEdge(from, to, { weight: Math.min(before, weight!) })
      }
      const hops = singleSourceLength(oracle, 'n0') as Record<string, number>
      for (const { id } of each.nodes) {
        assert.equal(path(each, 'n0', id)?.figure, hops[id])
        const way = dijkstra.bidirectional(oracle, 'n0', id) as readonly string[] | null
        const least = way
          ?.slice(1)
          .reduce((sum, to, at) => sum + (oracle.getEdgeAttribute(way[at], to, 'weight') as number), 0)
        assert.equal(path(each, 'n0', id, { by: 'weight' })?.figure, least)
        for (const by of ['latency', 'throughput'] as const) {
          const figures = allWays(each, 'n0', id).map((edges) => figureOf(each, edges, by))
          const expected =
            figures.length === 0 ? undefined : by === 'latency' ? Math.min(...figures) : Math.max(...figures)
          assert.equal(path(each, 'n0', id, { by })?.figure, expected, by)
        }
      }
    }),
  )
})

test('a way is made of its edges, and its figure is what they add up to', () => {
  fc.assert(
    fc.property(weighted, fc.constantFrom(...PATH_MEASURES), (each, by) => {
      for (const { id } of each.nodes) {
        const found = path(each, 'n0', id, { by })
        if (found === undefined) continue
        assert.deepEqual([found.nodes[0], found.nodes.at(-1)], ['n0', id])
        found.edges.forEach((edge, at) => {
          assert.deepEqual([each.edges[edge]?.from, each.edges[edge]?.to], [found.nodes[at], found.nodes[at + 1]])
        })
        if (by === 'latency' || by === 'throughput') assert.equal(figureOf(each, found.edges, by), found.figure)
      }
    }),
  )
})

test('an edge is implied where a longer way of its path type leads there; parallel edges share their lot', () => {
  const chain = graphOf(
    ['source a', 'transform b', 'sink c', 'sink d'],
    [
      'a > b',
      'b > c',
      'a > c',
      'a > c',
      'a > b',
      { from: 'a', to: 'c', pathType: 'error' },
      { from: 'c', to: 'd', pathType: 'error' },
      { from: 'a', to: 'd', pathType: 'error' },
    ],
  )
  assert.deepEqual(transitiveReduction(chain), { kept: [0, 1, 4, 5, 6], implied: [2, 3, 7] })
  assert.deepEqual(transitiveReduction(chain, { paths: ['error'] }), { kept: [5, 6], implied: [7] })
})

test('edges of a cycle are kept, and so are those into it that only the cycle itself implies', () => {
  const ring = transforms(4, [
    [0, 1],
    [1, 2],
    [2, 1],
    [0, 2],
    [1, 3],
    [2, 3],
    [0, 3],
    [1, 1],
  ])
  assert.deepEqual(transitiveReduction(ring).implied, [6])
})

test('what is kept leads where all led, and no edge that is kept on a graph without cycles can be spared', () => {
  fc.assert(
    fc.property(digraphs, fc.boolean(), ({ size, edges }, isAcyclic) => {
      const each = transforms(size, isAcyclic ? edges.filter(([from, to]) => from < to) : edges)
      const { kept, implied } = transitiveReduction(each)
      assert.deepEqual(
        [...kept, ...implied].sort((a, b) => a - b),
        [...each.edges.keys()],
      )
      const all = pairs(each, [...each.edges.keys()])
      assert.deepEqual(pairs(each, kept), all)
      if (!isAcyclic) return
      for (const edge of kept) {
        const twins = kept.filter((other) => !isSame(each, edge, other))
        assert.notDeepEqual(pairs(each, twins), all)
      }
    }),
  )
})

test('twenty thousand nodes in a chain take seconds at most, and no deep stack', () => {
  const size = 20_000
  const chain = transforms(
    size,
    Array.from({ length: size - 1 }, (_, index) => [index, index + 1] as const),
  )
  assert.equal(path(chain, 'n0', `n${size - 1}`, { by: 'throughput' })?.edges.length, size - 1)
  assert.equal(transitiveReduction(chain).kept.length, size - 1)
})

/** All ways without a node twice, as lists of edges. */
function allWays({ edges }: GraphData, from: string, to: string, seen: readonly string[] = []): number[][] {
  if (from === to) return [[]]
  return edges.flatMap((edge, index) =>
    edge.from === from && !seen.includes(edge.to) && edge.to !== from
      ? allWays({ edges } as GraphData, edge.to, to, [...seen, from]).map((way) => [index, ...way])
      : [],
  )
}

function figureOf({ nodes, edges }: GraphData, way: readonly number[], by: 'latency' | 'throughput'): number {
  const times = new Map(nodes.map(({ id, latencyMs = 0 }) => [id, latencyMs]))
  const on = ['n0', ...way.map((edge) => edges[edge]!.to)].map((id) => times.get(id)!)
  if (by === 'throughput') return Math.min(...on.map((ms) => 1_000 / ms))
  return on.reduce((sum, ms) => sum + ms, 0) + way.reduce((sum, edge) => sum + edges[edge]!.weight!, 0)
}

function isSame({ edges }: GraphData, a: number, b: number): boolean {
  return edges[a]!.from === edges[b]!.from && edges[a]!.to === edges[b]!.to
}

/** Which nodes lead to which, over some of the edges. */
function pairs({ nodes, edges }: GraphData, some: readonly number[]): readonly string[] {
  return nodes.flatMap(({ id }) => {
    const seen = new Set(some.filter((edge) => edges[edge]!.from === id).map((edge) => edges[edge]!.to))
    for (const at of seen) for (const edge of some) if (edges[edge]!.from === at) seen.add(edges[edge]!.to)
    return [...seen].map((to) => `${id} ${to}`).sort()
  })
}
