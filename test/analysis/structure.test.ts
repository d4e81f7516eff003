import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  cycles,
  deadEnds,
  hubs,
  impact,
  lineage,
  loopEdges,
  orphans,
  reachable,
  structure,
  topologicalOrder,
  unhandledErrors,
} from '#src/analysis/structure.js'
import fc from 'fast-check'
import { MultiDirectedGraph } from 'graphology'
import { stronglyConnectedComponents } from 'graphology-components'
import { hasCycle } from 'graphology-dag'
import type { GraphData } from 'millrace'
import { digraphs, graphOf, transforms } from './graphs.js'

const retry = graphOf(
  ['source in', 'transform work', 'conditional valid', 'buffer again', 'transform fix', 'sink out', 'sink dead'],
  [
    'in > work',
    'work > valid',
    { from: 'valid', to: 'out', when: 'yes' },
    { from: 'valid', to: 'again', when: 'no', pathType: 'retry' },
    'again > fix',
    { from: 'fix', to: 'valid', pathType: 'retry' },
    { from: 'fix', to: 'dead', pathType: 'dead_letter' },
  ],
)

test('sources, sinks, cycles, orphans, dead ends, unhandled errors and hubs come in one answer', () => {
  const found = structure(retry)
  assert.deepEqual(found.sources, ['in'])
  assert.deepEqual(found.sinks, ['out', 'dead'])
  assert.equal(found.order, undefined)
  assert.deepEqual(found.loops, [['valid', 'again', 'fix']])
  assert.deepEqual(found.orphans, [])
  assert.deepEqual(found.deadEnds, [])
  assert.deepEqual(found.unhandledErrors, ['work', 'out'])
  assert.deepEqual(found.hubs, [
    { node: 'valid', in: 2, out: 2 },
    { node: 'fix', in: 1, out: 2 },
  ])
})

test('a cycle is listed with its nodes, edges and path types, and a retry edge makes it intended', () => {
  assert.deepEqual(cycles(retry), {
    cycles: [
      {
        nodes: ['valid', 'again', 'fix'],
        edges: [3, 4, 5],
        paths: ['retry', 'normal', 'retry'],
        intended: true,
        gain: 0,
      },
    ],
    incomplete: false,
  })
  const accidental = cycles(graphOf(['transform a', 'transform b'], ['a > b', 'b > a']))
  assert.equal(accidental.cycles[0]?.intended, false)
})

test('a cycle has its gain, and the attempts that bound it', () => {
  const graph = graphOf(
    ['source in', { kind: 'transform', id: 'work', retry: { maxAttempts: 3 } }, 'transform wait', 'sink out'],
    ['in > work', { from: 'work', to: 'wait', pathType: 'retry', ratio: 0.2 }, 'wait > work', 'work > out'],
  )
  const [cycle] = cycles(graph).cycles
  assert.deepEqual([cycle?.gain, cycle?.maxAttempts], [0.2, 3])
})

test('one edge filter serves order, cycles and reachability alike', () => {
  const filter = { paths: ['normal'] as const }
  assert.deepEqual(topologicalOrder(retry, filter), ['in', 'again', 'dead', 'work', 'fix', 'valid', 'out'])
  assert.deepEqual(cycles(retry, filter).cycles, [])
  assert.deepEqual(orphans(retry, filter), ['again', 'fix', 'dead'])
  assert.deepEqual(deadEnds(retry, filter), ['again', 'fix'])
  assert.deepEqual(loopEdges(retry, filter), new Set())
  assert.deepEqual(loopEdges(retry), new Set([3, 4, 5]))
})

test('without a source all nodes are orphans, without a sink all are dead ends', () => {
  const loose = graphOf(['transform a', 'transform b'], ['a > b'])
  assert.deepEqual(orphans(loose), ['a', 'b'])
  assert.deepEqual(deadEnds(loose), ['a', 'b'])
})

test('lineage and impact leave the node itself out, unless it is on a cycle', () => {
  assert.deepEqual(lineage(retry, 'out'), { nodes: ['in', 'work', 'valid', 'again', 'fix'], sources: ['in'] })
  assert.deepEqual(impact(retry, 'work'), { nodes: ['valid', 'again', 'fix', 'out', 'dead'], sinks: ['out', 'dead'] })
  assert.ok(impact(retry, 'fix').nodes.includes('fix'))
  assert.deepEqual(reachable(retry, ['fix'], { paths: ['dead_letter'] }), ['fix', 'dead'])
  assert.throws(() => lineage(retry, 'nowhere'), { code: 'NODE_UNKNOWN' })
})

test('a sink that only failures reach needs no error edge of its own', () => {
  assert.ok(!unhandledErrors(retry).includes('dead'))
})

test('hubs take the threshold and the filter', () => {
  assert.deepEqual(hubs(retry, { threshold: 4, paths: ['normal'] }), [])
  assert.equal(hubs(retry, { threshold: 4 }).length, 1)
})

test('parallel edges are cycles of their own, and a self-loop is one', () => {
  const graph = graphOf(['transform a', 'transform b'], ['a > b', 'b > a', 'b > a', 'a > a'])
  assert.deepEqual(
    cycles(graph).cycles.map(({ edges }) => edges),
    [[0, 1], [0, 2], [3]],
  )
})

test('order, components and cycles agree with graphology and with a search of all paths, on random graphs', () => {
  fc.assert(
    fc.property(digraphs, ({ size, edges }) => {
      const graph = transforms(size, edges)
      const oracle = oracleOf(graph)
      const order = topologicalOrder(graph)
      assert.equal(order === undefined, hasCycle(oracle))
      if (order !== undefined) {
        const place = new Map(order.map((id, index) => [id, index]))
        for (const { from, to } of graph.edges) assert.ok((place.get(from) ?? 0) < (place.get(to) ?? 0))
      }
      const expected = stronglyConnectedComponents(oracle).filter(
        (nodes) => nodes.length > 1 || oracle.hasEdge(nodes[0], nodes[0]),
      )
      assert.deepEqual(asSets(structure(graph).loops), asSets(expected))
      assert.deepEqual(
        cycles(graph)
          .cycles.map(({ edges: list }) => rotated(list).join())
          .sort(),
        allCycles(graph).sort(),
      )
    }),
    { numRuns: 300 },
  )
})

test('the list of cycles stops at its bound and says so', () => {
  const size = 8
  const edges = Array.from({ length: size * size }, (_, index) => [index % size, Math.floor(index / size)] as const)
  const found = cycles(transforms(size, edges), { maxCycles: 100 })
  assert.equal(found.cycles.length, 100)
  assert.equal(found.incomplete, true)
  assert.equal(
    cycles(
      transforms(3, [
        [0, 1],
        [1, 0],
      ]),
      { maxCycles: 1 },
    ).incomplete,
    false,
  )
})

test('twenty thousand nodes in a chain or a ring take seconds at most, and no deep stack', () => {
  const size = 20_000
  const chain = Array.from({ length: size - 1 }, (_, index) => [index, index + 1] as const)
  assert.equal(topologicalOrder(transforms(size, chain))?.length, size)
  const ring = transforms(size, [...chain, [size - 1, 0]])
  const found = structure(ring)
  assert.equal(found.cycles[0]?.nodes.length, size)
  assert.equal(found.loops[0]?.length, size)
})

test('the same graph gives the same answer', () => {
  assert.equal(JSON.stringify(structure(retry)), JSON.stringify(structure(structuredClone(retry))))
})

function oracleOf(graph: GraphData): MultiDirectedGraph {
  const oracle = new MultiDirectedGraph()
  for (const { id } of graph.nodes) oracle.addNode(id)
  for (const { from, to } of graph.edges) oracle.addEdge(from, to)
  return oracle
}

function asSets(groups: readonly (readonly string[])[]): string[] {
  return groups.map((group) => [...group].sort().join()).sort()
}

/** A cycle's edges beginning with the least, so that equal cycles are equal texts. */
function rotated(edges: readonly number[]): readonly number[] {
  const start = edges.indexOf(Math.min(...edges))
  return [...edges.slice(start), ...edges.slice(0, start)]
}

/** Every elementary cycle by trying all simple paths from each node. */
function allCycles(graph: GraphData): string[] {
  const found = new Set<string>()
  const extend = (start: string, at: string, nodes: readonly string[], path: readonly number[]): void => {
    graph.edges.forEach(({ from, to }, edge) => {
      if (from !== at) return
      if (to === start) found.add(rotated([...path, edge]).join())
      else if (!nodes.includes(to)) extend(start, to, [...nodes, to], [...path, edge])
    })
  }
  for (const { id } of graph.nodes) extend(id, id, [id], [])
  return [...found]
}
