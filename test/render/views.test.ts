import assert from 'node:assert/strict'
import { test } from 'node:test'
import { latency } from '#src/analysis/flow/latency.js'
import fc from 'fast-check'
import { type GraphData } from 'millrace'
import { reachable, validate } from 'millrace/analysis'
import { toDot, views } from 'millrace/render'
import { digraphs, graphOf, transforms } from '../analysis/graphs.js'

const pipeline = graphOf(
  [
    { kind: 'source', id: 'in', cluster: 'inner' },
    { kind: 'buffer', id: 'queue', latencyMs: 3 },
    { kind: 'transform', id: 'parse', latencyMs: 5, cluster: 'inner' },
    'conditional ok',
    { kind: 'transform', id: 'enrich', cluster: 'other' },
    'sink out',
    'sink dead',
  ],
  [
    { from: 'in', to: 'queue', rate: 100, weight: 1 },
    { from: 'queue', to: 'parse', rate: 100, weight: 2 },
    { from: 'parse', to: 'ok', rate: 100 },
    { from: 'ok', to: 'enrich', when: 'yes', ratio: 0.9, rate: 90 },
    { from: 'ok', to: 'dead', when: 'no', ratio: 0.1, rate: 10, pathType: 'dead_letter' },
    { from: 'enrich', to: 'out', rate: 90, dataType: 'row' },
  ],
  [{ id: 'outer' }, { id: 'inner', parent: 'outer' }, { id: 'other' }, { id: 'unused' }],
)
const ids = (graph: GraphData): string[] => graph.nodes.map(({ id }) => id)

test('focus shows a node and its neighbours, up, down or both ways', () => {
  assert.deepEqual(ids(views.focus('ok')(pipeline)), ['parse', 'ok', 'enrich', 'dead'])
  assert.deepEqual(ids(views.focus('ok', { direction: 'up', radius: 2 })(pipeline)), ['queue', 'parse', 'ok'])
  assert.deepEqual(ids(views.focus('ok', { direction: 'down' })(pipeline)), ['ok', 'enrich', 'dead'])
  assert.deepEqual(ids(views.focus('ok', { radius: 0 })(pipeline)), ['ok'])
  assert.throws(() => views.focus('x')(pipeline), { code: 'NODE_UNKNOWN' })
  assert.throws(() => views.focus('ok', { radius: -1 })(pipeline), { code: 'VIEW_INVALID' })
})

test('focus between shows all ways from one node to another', () => {
  assert.deepEqual(ids(views.focusBetween('parse', 'out')(pipeline)), ['parse', 'ok', 'enrich', 'out'])
  assert.deepEqual(ids(views.focusBetween('parse', 'enrich', { radius: 1 })(pipeline)), [
    'queue',
    'parse',
    'ok',
    'enrich',
    'out',
    'dead',
  ])
  assert.deepEqual(ids(views.focusBetween('out', 'in')(pipeline)), [])
})

test('zoom level 0 keeps sources and sinks, with bridges that keep path type, rate, weight and what they carry', () => {
  const far = views.zoom(0)(pipeline)
  assert.deepEqual(ids(far), ['in', 'out', 'dead'])
  assert.deepEqual(far.edges, [
    { from: 'in', to: 'dead', pathType: 'dead_letter', weight: 11, rate: 10 },
    { from: 'in', to: 'out', dataType: 'row', weight: 11, rate: 90 },
  ])
})

test('zoom level 1 shows transforms too, level 2 everything', () => {
  assert.deepEqual(ids(views.zoom(1)(pipeline)), ['in', 'parse', 'enrich', 'out', 'dead'])
  assert.deepEqual(views.zoom(2)(pipeline).edges.length, 6)
  assert.throws(() => views.zoom(3), { code: 'VIEW_INVALID' })
})

test('a bridge out of a conditional keeps its branch and its share', () => {
  const seen = views.filter(({ id }) => id === 'ok' || id === 'out')(pipeline)
  assert.deepEqual(seen.edges, [{ from: 'ok', to: 'out', when: 'yes', dataType: 'row', ratio: 0.9, rate: 90 }])
})

test('ways that part and meet behind a bridge count together: both rates, the slower weight', () => {
  const diamond = graphOf(
    ['source in', 'conditional pick', { kind: 'transform', id: 'slow', latencyMs: 9 }, 'transform quick', 'sink out'],
    [
      { from: 'in', to: 'pick', rate: 100 },
      { from: 'pick', to: 'slow', when: 'a', ratio: 0.25 },
      { from: 'pick', to: 'quick', when: 'b', ratio: 0.75 },
      'slow > out',
      'quick > out',
    ],
  )
  assert.deepEqual(views.zoom(0)(diamond).edges, [{ from: 'in', to: 'out', weight: 9, rate: 100 }])
})

test('what several nodes send through one that is removed is shared out by its rates', () => {
  const crossing = graphOf(
    ['source a', 'source b', 'merge m', 'conditional split', 'sink c', 'sink d'],
    [
      { from: 'a', to: 'm', rate: 60 },
      { from: 'b', to: 'm', rate: 40 },
      { from: 'm', to: 'split', rate: 100 },
      { from: 'split', to: 'c', when: 'x', rate: 30 },
      { from: 'split', to: 'd', when: 'y', rate: 70 },
    ],
  )
  const rates = views
    .zoom(0)(crossing)
    .edges.map(({ from, to, rate }) => `${from}${to} ${Math.round(rate ?? 0)}`)
  assert.deepEqual(rates, ['ac 18', 'ad 42', 'bc 12', 'bd 28'])
})

test('the longest way keeps its time when nodes are bridged', () => {
  assert.equal(latency(views.zoom(0)(pipeline)).critical?.criticalMs, latency(pipeline).critical?.criticalMs)
})

test('collapse puts one node in place of a cluster, and keeps the edges across, parallel ones too', () => {
  const graph = {
    ...pipeline,
    edges: [...pipeline.edges, { from: 'in', to: 'queue', pathType: 'normal' as const, label: 'again' }],
  }
  const seen = views.collapse('inner', { label: 'The Inner' })(graph)
  assert.deepEqual(ids(seen), ['inner', 'queue', 'ok', 'enrich', 'out', 'dead'])
  const [node] = seen.nodes
  assert.deepEqual(
    [node?.kind, node?.label, node?.cluster, node?.description],
    ['transform', 'The Inner', 'outer', 'in, parse'],
  )
  assert.deepEqual(
    seen.edges.filter(({ from, to }) => from === 'inner' && to === 'queue').map(({ label }) => label),
    [undefined, 'again'],
  )
  assert.deepEqual(
    seen.clusters.map(({ id }) => id),
    ['outer', 'other'],
  )
})

test('a cluster is collapsed with the clusters in it, and nodes of one kind stay of that kind', () => {
  assert.ok(!ids(views.collapse('outer')(pipeline)).includes('parse'))
  const sinks = views.collapse(({ kind }) => kind === 'sink', { id: 'stores' })(pipeline)
  assert.equal(sinks.nodes.find(({ id }) => id === 'stores')?.kind, 'sink')
})

test('a collapse that holds no node, or takes an id that is there, is refused', () => {
  assert.throws(() => views.collapse('unused')(pipeline), { code: 'VIEW_INVALID' })
  assert.throws(() => views.collapse('inner', { id: 'ok' })(pipeline), { code: 'VIEW_INVALID' })
  assert.throws(() => views.collapse(() => true)(pipeline), { code: 'VIEW_INVALID' })
})

test('clusters that hold nothing any more are not shown', () => {
  assert.deepEqual(
    views
      .focus('parse')(pipeline)
      .clusters.map(({ id }) => id),
    ['outer', 'inner'],
  )
})

test('views follow each other, and the graph itself stays as it is', () => {
  const before = JSON.stringify(pipeline)
  const dot = toDot(pipeline, { views: [views.collapse('inner'), views.zoom(1)] })
  assert.match(dot, /"inner"/)
  assert.doesNotMatch(dot, /"queue"/)
  assert.equal(JSON.stringify(pipeline), before)
})

test('bridging never changes what is reached, on random graphs', () => {
  fc.assert(
    fc.property(digraphs, fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }), ({ size, edges }, kept) => {
      const graph = transforms(size, edges)
      const seen = views.filter(({ id }) => kept[Number(id.slice(1))] ?? false)(graph)
      assert.deepEqual(
        validate(seen).filter(({ code }) => code === 'EDGE_NODE_UNKNOWN'),
        [],
      )
      for (const { id } of seen.nodes) {
        const before = reachable(graph, [id]).filter((other) => seen.nodes.some((node) => node.id === other))
        assert.deepEqual(reachable(seen, [id]), before)
      }
    }),
  )
})
