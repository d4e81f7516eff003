import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveGraph, subgraph } from '#src/graph/resolve.js'
import { BATCH_OPTIONS, EDGE_OPTIONS, NODE_OPTIONS, RETRY_OPTIONS, resolve } from '#src/options/index.js'
import type { GraphEdge, GraphNode } from 'millrace'

function resolved(nodes: readonly GraphNode[], edges: readonly GraphEdge[] = []): ReturnType<typeof resolveGraph> {
  return resolveGraph({ name: 'test', nodes, edges, clusters: [] })
}
const work = (): void => undefined

test('every default of the tables is filled in, and what is given stays', () => {
  const graph = resolved([{ id: 'a', kind: 'source', window: 5 }], [{ from: 'a', to: 'a', weight: 2 }])
  const { window, concurrency, pollSize, retry, batch } = graph.node(0)
  assert.deepEqual([window, concurrency, pollSize], [5, 1, NODE_OPTIONS.pollSize.default])
  assert.deepEqual(retry, resolve(RETRY_OPTIONS))
  assert.equal(batch, undefined)
  const { weight, pathType, codec } = graph.edge(0)
  assert.deepEqual([weight, pathType, codec], [2, 'normal', EDGE_OPTIONS.codec.default])
  assert.deepEqual(graph.given.nodes[0], { id: 'a', kind: 'source', window: 5 })
})

test('a default that other options decide follows them', () => {
  const chunks = [{}, { ack: work }, { push: true }, { push: false }, { push: true, chunk: 7 }].map((options) => {
    return resolved([{ id: 'a', kind: 'source', ...options }]).node(0).chunk
  })
  assert.deepEqual(chunks, [512, 1, 1, 512, 7])
  const calls = [{}, { batch: {} }, { mapBatch: work }, { batch: {}, maxInFlight: 3 }].map((options) => {
    const { maxInFlight, overlap } = resolved([{ id: 'a', kind: 'transform', ...options }]).node(0)
    return [maxInFlight, overlap]
  })
  assert.deepEqual(calls, [
    [16, 1],
    [1, 1],
    [1, 1],
    [3, 3],
  ])
})

test('`partitionBy` implies `partition`, `mapBatch` a batch, and `push` one worker', () => {
  const graph = resolved([
    { id: 'a', kind: 'source', push: true, concurrency: 3 },
    { id: 'b', kind: 'transform', partitionBy: work, mapBatch: work, concurrency: 2 },
  ])
  assert.deepEqual([graph.node(0).workers, graph.node(1).workers], [1, 2])
  assert.equal(graph.node(1).dispatch, 'partition')
  assert.deepEqual(graph.node(1).batch, resolve(BATCH_OPTIONS))
})

test('of two nodes with one id the first counts, and edges to nowhere are left out', () => {
  const nodes: GraphNode[] = [
    { id: 'a', kind: 'source' },
    { id: 'a', kind: 'sink' },
    { id: 'b', kind: 'sink' },
  ]
  const graph = resolved(nodes, [
    { from: 'a', to: 'nowhere' },
    { from: 'a', to: 'b' },
  ])
  assert.deepEqual([graph.edges, graph.out(0), graph.in(2), graph.from(0)], [[1], [1], [1], -1])
})

test('a subgraph has numbers of its own', () => {
  const nodes = ['a', 'b', 'c'].map((id): GraphNode => ({ id, kind: 'transform' }))
  const edges = [
    { from: 'a', to: 'b' },
    { from: 'b', to: 'c', weight: 4 },
  ]
  const part = subgraph(resolved(nodes, edges), [1, 2], [1])
  assert.deepEqual([part.id(0), part.out(0), part.to(0), part.number('c'), part.number('a')], ['b', [0], 1, 1, -1])
  assert.deepEqual([part.edge(0).weight, part.given.edges[0]], [4, edges[1]])
})
