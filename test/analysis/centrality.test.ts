/** Where a node lies in its graph: centrality, what its loss cuts, its core number. graphology is the oracle. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type GraphData } from 'millrace'
import { centrality, coreNumbers, cutNodes } from 'millrace/analysis'
import fc from 'fast-check'
import { DirectedGraph } from 'graphology'
import * as metrics from 'graphology-metrics/centrality/index.js'
import { digraphs, flows, graphOf, transforms } from './graphs.js'

/** Two ways from `in` to `out`, one of them through `a`, and a node to which nothing leads. */
const diamond = graphOf(
  ['source in', 'transform a', 'transform b', 'merge all', 'sink out', 'transform loose'],
  ['in > a', 'in > b', 'a > all', 'b > all', 'b > all', 'all > out'],
)

function near(actual: number | undefined, expected: number, what = ''): void {
  assert.ok(actual !== undefined && Math.abs(actual - expected) < 1e-9, `${what} ${actual} is not ${expected}`)
}

test('degree counts edges, parallel ones each', () => {
  const all = centrality(diamond).find(({ node }) => node === 'all')
  assert.deepEqual([all?.in, all?.out, all?.degree], [3, 1, 4])
  assert.equal(all?.betweenness, undefined)
})

test('betweenness is the share of the pairs whose shortest ways lead through a node', () => {
  const found = new Map(centrality(diamond, { ways: true }).map((node) => [node.node, node]))
  // Of 20 pairs: in→out, a→out and b→out lead through `all`; half of in→all and of in→out through `a`.
  near(found.get('all')?.betweenness, 3 / 20)
  near(found.get('a')?.betweenness, (0.5 + 0.5) / 20)
  near(found.get('b')?.betweenness, (0.5 + 0.5) / 20)
  near(found.get('in')?.betweenness, 0)
})

test('closeness is that to what lies below, by the share of the graph that lies there', () => {
  const found = new Map(centrality(diamond, { ways: true }).map((node) => [node.node, node]))
  // Four of five are reached from `in`, in 1 + 1 + 2 + 3 steps.
  near(found.get('in')?.closeness, (4 / 7) * (4 / 5))
  near(found.get('all')?.closeness, (1 / 1) * (1 / 5))
  near(found.get('out')?.closeness, 0)
})

test('the most central node comes first: by betweenness where it is asked for, else by PageRank', () => {
  assert.equal(centrality(diamond, { ways: true })[0]?.node, 'all')
  const ranked = centrality(diamond)
  assert.equal(ranked[0]?.node, 'out')
  near(
    ranked.reduce((sum, { pageRank }) => sum + pageRank, 0),
    1,
  )
})

test('centrality agrees with graphology on random graphs', () => {
  fc.assert(
    fc.property(digraphs, ({ size, edges }) => {
      const graph = transforms(size, [...new Map(edges.map((edge) => [edge.join(), edge])).values()])
      const [oracle, reversed] = [directed(graph), directed(graph, true)]
      const betweenness = metrics.betweenness(oracle, { getEdgeWeight: null })
      // graphology looks at what leads to a node.
      const closeness = metrics.closeness(reversed, { wassermanFaust: true })
      const ranks = metrics.pagerank(oracle, { getEdgeWeight: null, tolerance: 1e-13, maxIterations: 1_000 })
      for (const node of centrality(graph, { ways: true })) {
        near(node.betweenness, size < 3 ? 0 : betweenness[node.node]!, `betweenness of ${node.node}`)
        near(node.closeness, closeness[node.node]!, `closeness of ${node.node}`)
        near(node.pageRank, ranks[node.node]!, `rank of ${node.node}`)
      }
    }),
  )
})

test('more shortest ways than a number can say are still shared out', () => {
  const diamonds = 1_100
  const edges = Array.from({ length: diamonds }, (_, index) => {
    const [top, left, right, bottom] = [3 * index, 3 * index + 1, 3 * index + 2, 3 * index + 3]
    return [[top, left] as const, [top, right] as const, [left, bottom] as const, [right, bottom] as const]
  }).flat()
  const found = centrality(transforms(3 * diamonds + 1, edges), { ways: true })
  assert.ok(found.every(({ betweenness = -1 }) => betweenness >= 0 && betweenness <= 1))
})

test('a node is cut that every way to a sink leads through, and the sinks are named', () => {
  const graph = graphOf(
    ['source a', 'source b', 'transform parse', 'conditional kind', 'sink one', 'sink two', 'sink both', 'sink never'],
    ['a > parse', 'b > parse', 'parse > kind', 'kind > one', 'kind > two', 'kind > both', 'b > both'],
  )
  assert.deepEqual(cutNodes(graph), [
    { node: 'parse', cuts: 2, sinks: ['one', 'two'] },
    { node: 'kind', cuts: 2, sinks: ['one', 'two'] },
  ])
  assert.deepEqual(cutNodes(graph, { maxSinks: 1 })[0], { node: 'parse', cuts: 2, sinks: ['one'] })
})

test('a lone source cuts its sinks; loops and parallel edges cut nothing; the filter decides what is a way', () => {
  const graph = graphOf(
    ['source in', 'transform work', 'buffer again', 'sink out', 'sink dead'],
    [
      'in > work',
      'work > out',
      'work > out',
      { from: 'work', to: 'again', pathType: 'retry' },
      'again > work',
      { from: 'again', to: 'dead', pathType: 'dead_letter' },
      { from: 'in', to: 'dead', pathType: 'error' },
    ],
  )
  assert.deepEqual(cutNodes(graph), [
    { node: 'in', cuts: 2, sinks: ['out', 'dead'] },
    { node: 'work', cuts: 1, sinks: ['out'] },
  ])
  assert.deepEqual(
    cutNodes(graph, { paths: ['normal', 'retry', 'dead_letter'] }).map(({ node, sinks }) => [node, ...sinks]),
    [
      ['in', 'out', 'dead'],
      ['work', 'out', 'dead'],
      ['again', 'dead'],
    ],
  )
})

test('cut nodes are those without which a search from all sources misses a sink, on random graphs', () => {
  fc.assert(
    fc.property(flows, (graph) => {
      const reached = sinksReached(graph, undefined)
      const expected = new Map(
        graph.nodes.flatMap(({ id }) => {
          const left = sinksReached(graph, id)
          const lost = reached.filter((sink) => sink !== id && !left.includes(sink))
          return lost.length === 0 ? [] : [[id, lost] as const]
        }),
      )
      assert.deepEqual(new Map(cutNodes(graph).map(({ node, sinks }) => [node, sinks])), expected)
      assert.ok(cutNodes(graph).every(({ cuts, sinks }) => cuts === sinks.length))
    }),
    { numRuns: 500 },
  )
})

test('core numbers: a ring of four with all its chords is deeper than what hangs on it', () => {
  const graph = transforms(6, [
    [0, 1],
    [1, 2],
    [2, 3],
    [3, 0],
    [0, 2],
    [1, 3],
    [3, 4],
    [4, 3],
    [4, 4],
  ])
  assert.deepEqual(
    coreNumbers(graph).map(({ node, core }) => `${node} ${core}`),
    ['n0 3', 'n1 3', 'n2 3', 'n3 3', 'n4 1', 'n5 0'],
  )
})

test('core numbers are those of the definition: what is left when all with fewer neighbours are taken away', () => {
  fc.assert(
    fc.property(digraphs, ({ size, edges }) => {
      const graph = transforms(size, edges)
      const expected = new Map<string, number>()
      for (let k = 0; k < size; k++) for (const node of coreOf(graph, k)) expected.set(node, k)
      assert.deepEqual(new Map(coreNumbers(graph).map(({ node, core }) => [node, core])), expected)
    }),
  )
})

test('twenty thousand nodes in a chain or a ladder take seconds at most, and no deep stack', () => {
  const size = 20_000
  const chain = Array.from({ length: size - 1 }, (_, index) => [index, index + 1] as const)
  const skips = Array.from({ length: size - 2 }, (_, index) => [index, index + 2] as const)
  for (const edges of [chain, [...chain, ...skips]]) {
    const graph = transforms(size, edges)
    const flow = {
      ...graph,
      nodes: graph.nodes.map((node, index) => ({
        ...node,
        kind: index === 0 ? ('source' as const) : index % 2 === 1 ? ('sink' as const) : node.kind,
      })),
    }
    assert.equal(centrality(flow).length, size)
    assert.equal(coreNumbers(flow)[0]?.core, edges === chain ? 1 : 2)
    assert.deepEqual(cutNodes(flow)[0]?.node, 'n0')
    assert.equal(cutNodes(flow)[0]?.cuts, size / 2)
  }
})

function directed(graph: GraphData, isReversed = false): DirectedGraph {
  const oracle = new DirectedGraph()
  for (const { id } of graph.nodes) oracle.addNode(id)
  for (const { from, to } of graph.edges)
    oracle.addEdge(...(isReversed ? ([to, from] as const) : ([from, to] as const)))
  return oracle
}

/** The nodes that have `k` neighbours or more among each other. */
function coreOf({ nodes, edges }: GraphData, k: number): ReadonlySet<string> {
  const left = new Set(nodes.map(({ id }) => id))
  const neighbours = (id: string): number =>
    new Set(
      edges
        .flatMap(({ from, to }) => (from === id ? [to] : to === id ? [from] : []))
        .filter((each) => each !== id && left.has(each)),
    ).size
  for (let before = -1; before !== left.size;) {
    before = left.size
    for (const id of left) if (neighbours(id) < k) left.delete(id)
  }
  return left
}

function sinksReached({ nodes, edges }: GraphData, lost: string | undefined): readonly string[] {
  const seen = new Set(nodes.filter(({ id, kind }) => kind === 'source' && id !== lost).map(({ id }) => id))
  for (const id of seen) for (const { from, to } of edges) if (from === id && to !== lost) seen.add(to)
  return nodes.filter(({ id, kind }) => kind === 'sink' && seen.has(id)).map(({ id }) => id)
}
