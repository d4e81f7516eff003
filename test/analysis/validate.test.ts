import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PROBLEMS, type ProblemCode } from '#src/analysis/problems.js'
import { validate } from '#src/analysis/validate.js'
import fc from 'fast-check'
import { dataflow, type GraphData, type GraphEdge, type GraphNode, MillraceError, type Problem } from 'millrace'
import {
  bottlenecks,
  centrality,
  check,
  coreNumbers,
  cutNodes,
  cycles,
  forecast,
  structure,
  topologicalOrder,
  deadlock,
  latency,
  maxRate,
  retryLoops,
  simulate,
  sizing,
  transitiveReduction,
} from 'millrace/analysis'
import { plan } from 'millrace/plan'
import { toDot, toMermaid } from 'millrace/render'
import { graphOf, transforms } from './graphs.js'

/** A chain whose end also hangs together past a queue of a broker. */
function hopped(queue: object): GraphData {
  return chain({
    nodes: [{ kind: 'buffer', id: 'queue', via: { technology: 'nats', stream: 's' }, ...queue }],
    edges: ['work > queue', 'queue > out'],
  })
}

/** A sound chain, into which each case puts one problem. */
function chain(changes: {
  source?: object
  work?: object
  sink?: object
  first?: object
  nodes?: readonly (GraphNode | string)[]
  edges?: readonly (GraphEdge | string)[]
  clusters?: GraphData['clusters']
}): GraphData {
  return graphOf(
    [
      { kind: 'source', id: 'in', ...changes.source },
      { kind: 'transform', id: 'work', ...changes.work },
      { kind: 'sink', id: 'out', ...changes.sink },
      ...(changes.nodes ?? []),
    ],
    [{ from: 'in', to: 'work', ...changes.first }, 'work > out', ...(changes.edges ?? [])],
    changes.clusters,
  )
}
/** What untyped code or JSON may hold. */
const wild = (value: unknown): GraphData => value as GraphData
const map = (value: unknown): unknown => value

/** For each code: a graph that has the problem, and what the problem must name. */
/** The codes of `validate` itself; `check` adds those that need more than the graph, or more time. */
type Own = Exclude<ProblemCode, 'LOOP_MAY_BLOCK' | 'DECLARED_DRIFTED'>
const CASES: Record<Own, { graph: GraphData; at?: object; says?: RegExp }> = {
  GRAPH_NAME_INVALID: { graph: { ...chain({}), name: '' } },
  MODULE_INVALID: { graph: { ...chain({}), module: 'graph.js' }, says: /graph\.js/ },
  ENTRY_INVALID: { graph: wild({ ...chain({}), nodes: [...chain({}).nodes, 7] }), says: /nodes\[3\] is 7/ },
  NODE_ID_INVALID: { graph: chain({ nodes: [{ id: '', kind: 'sink' }] }) },
  NODE_ID_DUPLICATE: { graph: chain({ nodes: ['transform work'] }), at: { node: 'work' }, says: /2 nodes/ },
  NODE_KIND_UNKNOWN: { graph: chain({ nodes: ['stream x'], edges: ['work > x', 'x > out'] }), at: { node: 'x' } },
  CLUSTER_ID_INVALID: { graph: chain({ clusters: [{ id: '' }] }) },
  CLUSTER_ID_DUPLICATE: { graph: chain({ clusters: [{ id: 'c' }, { id: 'c' }] }), at: { cluster: 'c' } },
  CLUSTER_UNKNOWN: { graph: chain({ work: { cluster: 'c' } }), at: { node: 'work', cluster: 'c' } },
  CLUSTER_LOOP: {
    graph: chain({
      clusters: [
        { id: 'a', parent: 'b' },
        { id: 'b', parent: 'a' },
      ],
    }),
    says: /`a` in `b` in `a`/,
  },
  OPTION_UNKNOWN: {
    graph: chain({ work: { latencyMS: 3 } }),
    at: { node: 'work', option: 'latencyMS', fix: 'Did you mean `latencyMs`?' },
  },
  OPTION_NOT_FOR_KIND: {
    graph: chain({ work: { rate: 3 } }),
    at: { node: 'work', option: 'rate' },
    says: /only source/,
  },
  OPTION_TYPE_WRONG: {
    graph: chain({ source: { rate: '10' } }),
    at: { node: 'in', option: 'rate' },
    says: /a number of at least 0 \(records\/s\), not "10"/,
  },
  OPTION_NOT_FINITE: { graph: chain({ source: { rate: NaN } }), at: { option: 'rate' }, says: /not NaN/ },
  OPTION_OUT_OF_BOUNDS: {
    graph: chain({ nodes: [{ kind: 'buffer', id: 'b', capacity: 0 }], edges: ['work > b', 'b > out'] }),
    at: { node: 'b', option: 'capacity' },
  },
  OPTION_VALUE_UNKNOWN: {
    graph: chain({ first: { pathType: 'sometimes' } }),
    at: { edge: 0, option: 'pathType' },
    says: /normal, error, retry or dead_letter/,
  },
  BOUNDS_CROSSED: { graph: chain({ first: { minDemand: 8, maxDemand: 8 } }), at: { edge: 0, option: 'minDemand' } },
  RATE_ABOVE_LIMIT: { graph: chain({ source: { rate: 5, rateLimit: 4 } }), at: { node: 'in' } },
  LIMIT_BY_MISPLACED: {
    graph: chain({ source: { rateLimit: { perSecond: 5, by: map } } }),
    at: { node: 'in', option: 'rateLimit.by' },
    says: /is a source/,
  },
  LIMIT_BY_SPREAD: {
    graph: chain({ work: { map, concurrency: 2, partitionBy: () => 1, rateLimit: { perSecond: 5, by: map } } }),
    at: { node: 'work', option: 'rateLimit.by' },
    says: /another `partitionBy`/,
  },
  SERVICE_SAID_TWICE: { graph: chain({ work: { latencyMs: 5, serviceRate: 4 } }), at: { node: 'work' } },
  BATCH_ABOVE_WINDOW: {
    graph: chain({ source: { window: 10, concurrency: 2 }, sink: { batch: { size: 21 } } }),
    at: { node: 'out', option: 'batch.size' },
  },
  HANDLER_INVALID: {
    graph: chain({ work: { map: { module: 'x', exports: 'y' } } }),
    at: { node: 'work', option: 'map' },
  },
  HANDLERS_SEVERAL: { graph: chain({ work: { map, filter: map } }), at: { node: 'work' }, says: /`map` and `filter`/ },
  HANDLER_MISSING: { graph: chain({ work: { map } }), at: { node: 'in' } },
  BATCH_WITHOUT_BATCH_HANDLER: {
    graph: chain({ work: { map, batch: { size: 3 } } }),
    at: { node: 'work', option: 'batch' },
  },
  BATCH_WITHOUT_KEY: {
    graph: chain({ work: { mapBatch: map, batch: { size: 3, of: map } } }),
    at: { node: 'work', option: 'batch.of' },
  },
  BATCH_WEIGHT_HALF: {
    graph: chain({ work: { map }, sink: { batch: { size: 3, weigh: map }, write: map } }),
    at: { node: 'out', option: 'batch.weigh' },
  },
  OPTION_UNUSED: { graph: chain({ source: { produce: map, pollSize: 5 } }), at: { node: 'in', option: 'pollSize' } },
  ACK_WITHOUT_SOURCE: { graph: chain({ source: { ack: map } }), at: { node: 'in', option: 'ack' } },
  DISPATCH_CONFLICT: { graph: chain({ work: { partitionBy: map, dispatch: 'broadcast' } }), at: { node: 'work' } },
  PARTITION_WITHOUT_KEY: { graph: chain({ work: { map, dispatch: 'partition' } }), at: { node: 'work' } },
  NACK_UNUSED: { graph: chain({ first: { nack: true } }), at: { edge: 0, option: 'nack' } },
  SELECTOR_MISPLACED: {
    graph: chain({ first: { selector: map, pathType: 'dead_letter' } }),
    at: { edge: 0, option: 'selector' },
    says: /`dead_letter`/,
  },
  EDGE_NODE_UNKNOWN: {
    graph: chain({ edges: ['wrok > out'] }),
    at: { edge: 2, option: 'from', fix: 'Did you mean `work`?' },
    says: /`wrok`/,
  },
  EDGE_INTO_SOURCE: { graph: chain({ edges: ['work > in'] }), at: { edge: 2 } },
  EDGE_DUPLICATE: { graph: chain({ edges: ['work > out'] }), at: { edge: 2 } },
  SELF_LOOP: {
    graph: chain({ edges: [{ from: 'work', to: 'work', when: 'more', ratio: 0.1 }] }),
    at: { node: 'work', edge: 2 },
  },
  SELF_LOOP_ENDLESS: { graph: chain({ edges: ['work > work'] }), at: { node: 'work', edge: 2 } },
  LOOP_WITHOUT_STAGE: {
    graph: chain({ nodes: ['merge a', 'buffer b'], edges: ['work > a', 'a > b', 'b > a'] }),
    says: /`a` → `b` → `a`/,
  },
  LOOP_GROWS: { graph: chain({ nodes: ['transform a'], edges: ['work > a', 'a > work'] }), at: { node: 'work' } },
  RESIZE_IMPOSSIBLE: {
    graph: chain({
      work: { partitionBy: (n: number) => n, maxConcurrency: 2 },
      nodes: ['transform a'],
      edges: ['work > a', { from: 'a', to: 'work', ratio: 0.5 }],
    }),
    at: { node: 'work', option: 'maxConcurrency' },
  },
  SCALE_WITHOUT_MAX: { graph: chain({ work: { scale: {} } }), at: { node: 'work', option: 'scale.max' } },
  FAILURE_PATH_UNUSED: { graph: chain({ edges: [{ from: 'in', to: 'out', pathType: 'error' }] }), at: { edge: 2 } },
  CAPACITY_ABOVE_WINDOW: {
    graph: chain({
      nodes: [{ kind: 'buffer', id: 'b', capacity: 16_385 }],
      edges: ['work > b', 'b > out'],
    }),
    at: { node: 'b', option: 'capacity' },
  },
  CONCURRENCY_UNUSED: {
    graph: graphOf(
      [
        { kind: 'source', id: 'in', push: true, concurrency: 2 },
        { kind: 'sink', id: 'out', write: () => undefined },
      ],
      ['in > out'],
    ),
    at: { node: 'in', option: 'concurrency' },
  },
  RETRY_UNUSED: {
    graph: chain({
      nodes: ['conditional c'],
      edges: ['work > c', { from: 'c', to: 'out', when: 'a' }, { from: 'c', to: 'work', pathType: 'retry' }],
    }),
    at: { edge: 4 },
  },
  RESULTS_UNUSED: {
    graph: chain({ nodes: ['transform fix'], edges: ['work > fix', { from: 'fix', to: 'work', pathType: 'retry' }] }),
    at: { node: 'fix' },
  },
  DEAD_LETTER_UNUSED: {
    graph: chain({
      edges: [
        { from: 'work', to: 'out', pathType: 'error' },
        { from: 'work', to: 'out', pathType: 'dead_letter' },
      ],
    }),
    at: { edge: 3 },
  },
  WHEN_UNUSED: { graph: chain({ first: { when: 'yes' } }), at: { edge: 0, option: 'when' } },
  WHEN_MISSING: {
    graph: chain({
      nodes: ['conditional c', 'sink no'],
      edges: ['work > c', { from: 'c', to: 'out', when: 'yes' }, 'c > no'],
    }),
    at: { edge: 4, option: 'when' },
  },
  CONDITIONAL_WITHOUT_WHEN: {
    graph: chain({ nodes: ['conditional c', 'sink no'], edges: ['work > c', 'c > out', 'c > no'] }),
    at: { node: 'c' },
  },
  RATIO_SUM: {
    graph: chain({
      nodes: ['conditional c', 'sink no'],
      edges: [
        'work > c',
        { from: 'c', to: 'out', when: 'a', ratio: 0.6 },
        { from: 'c', to: 'no', when: 'b', ratio: 0.3 },
      ],
    }),
    at: { node: 'c' },
    says: /0.8999/,
  },
  RATIOS_DISAGREE: {
    graph: chain({
      nodes: ['conditional c', 'sink no'],
      edges: [
        'work > c',
        { from: 'c', to: 'out', when: 'a', ratio: 0.6 },
        { from: 'c', to: 'no', when: 'a', ratio: 0.4 },
      ],
    }),
    at: { edge: 4, option: 'ratio' },
  },
  RATIO_UNUSED: { graph: chain({ first: { ratio: 0.5 } }), at: { edge: 0 } },
  DATA_TYPE_MISMATCH: {
    graph: chain({
      nodes: ['buffer b'],
      edges: [
        { from: 'work', to: 'b', dataType: 'Row' },
        { from: 'b', to: 'out', dataType: 'Line[]' },
      ],
    }),
    at: { edge: 3, option: 'dataType' },
  },
  FUSE_NOT_POSSIBLE: {
    graph: chain({ work: { concurrency: 2 }, first: { fuse: true } }),
    at: { edge: 0 },
    says: /different `concurrency`/,
  },
  VIA_OPTION_MISSING: {
    graph: hopped({ via: { technology: 'postgres', url: 'postgres://here/db' } }),
    at: { node: 'queue', option: 'via.table' },
  },
  VIA_OPTION_UNUSED: { graph: hopped({ whenFull: 'dropOldest' }), at: { node: 'queue', option: 'whenFull' } },
  VIA_DEDUPE_SHORT: {
    graph: hopped({ via: { technology: 'nats', stream: 's', ackWaitMs: 90_000 } }),
    at: { node: 'queue', option: 'via.dedupeMs' },
  },
  VIA_QUEUE_SHARED: {
    graph: chain({
      nodes: [
        { kind: 'buffer', id: 'a', via: { technology: 'nats', stream: 's' } },
        { kind: 'buffer', id: 'b', via: { technology: 'nats', stream: 's', servers: 'nats://127.0.0.1:4222' } },
      ],
      edges: ['work > a', 'a > out', 'work > b', 'b > out'],
    }),
    at: { node: 'b', option: 'via' },
  },
  VIA_BUFFERS_JOINED: {
    graph: chain({
      nodes: [
        { kind: 'buffer', id: 'a', via: { technology: 'nats', stream: 'a' } },
        { kind: 'buffer', id: 'b', via: { technology: 'nats', stream: 'b' } },
      ],
      edges: ['work > a', 'a > b', 'b > out'],
    }),
    at: { edge: 3 },
  },
  VIA_WITHOUT_PARTS: { graph: hopped({}), at: { node: 'queue', option: 'via' }, says: /the part `in`/ },
  PARTS_LOOP: {
    graph: graphOf(
      [
        'source in',
        'transform a',
        { kind: 'buffer', id: 'there', via: { technology: 'nats', stream: 'there' } },
        'transform b',
        { kind: 'buffer', id: 'back', via: { technology: 'nats', stream: 'back' } },
        'sink out',
      ],
      ['in > a', 'a > there', 'there > b', 'b > back', 'back > a', 'b > out'],
    ),
    at: { node: 'there' },
  },
  SOURCE_MISSING: { graph: graphOf(['transform a', 'sink b'], ['a > b']) },
  SINK_MISSING: { graph: graphOf(['source a', 'transform b'], ['a > b']) },
  NODE_UNREACHABLE: { graph: chain({ nodes: ['transform idle'], edges: ['idle > out'] }), at: { node: 'idle' } },
  DEAD_END: { graph: chain({ nodes: ['buffer end'], edges: ['work > end'] }), at: { node: 'end' } },
}

for (const [code, { graph, at = {}, says = /./ }] of Object.entries(CASES)) {
  test(`${code}: ${PROBLEMS[code as ProblemCode].text}`, () => {
    const found = validate(graph).find((problem) => problem.code === code)
    assert.ok(
      found,
      `not among ${validate(graph)
        .map((problem) => problem.code)
        .join()}`,
    )
    assert.deepEqual({ ...found, ...at }, found)
    assert.match(found.message, says)
    assert.equal(found.severity, PROBLEMS[code as ProblemCode].severity)
    assert.ok(found.fix.length > 0)
  })
}

test('what looks single records up does nothing for a handler of batches, and has its size from `preload` only', () => {
  const unused = (work: object): unknown[] =>
    validate(chain({ source: { produce: map }, work })).map(({ code, option }) => `${code} ${option}`)
  assert.deepEqual(unused({ mapBatch: map, preload: map }), ['OPTION_UNUSED preload'])
  assert.deepEqual(unused({ map, preloadSize: 5 }), ['OPTION_UNUSED preloadSize'])
  assert.deepEqual(unused({ map, preload: map, preloadSize: 5 }), [])
  const fused = chain({ source: { produce: map }, work: { map }, sink: { write: map, preload: map } })
  const edges = fused.edges.map((edge, i) => (i === 1 ? { ...edge, fuse: true } : edge))
  const [problem] = validate({ ...fused, edges })
  assert.deepEqual([problem?.code, problem?.edge], ['FUSE_NOT_POSSIBLE', 1])
})

test('a sound graph has no problems, with handlers and without', () => {
  assert.deepEqual(validate(chain({})), [])
  const built = dataflow('iot')
    .source('sensors', { produce: () => ['{}'] })
    .transform('parse', { map: (line: string) => JSON.parse(line) as { value: number } })
    .conditional('valid', { route: (record) => (record.value > 0 ? 'yes' : 'no') })
    .sink('keep', { write: () => {} })
    .sink('drop', { write: () => {} })
    .connect('sensors', 'parse')
    .connect('parse', 'valid')
    .connect('valid', 'keep', { when: 'yes', ratio: 0.1 + 0.2 })
    .connect('valid', 'drop', { when: 'no', ratio: 0.7 })
  assert.deepEqual(validate(built), [])
})

test('all problems come at once, in the order of the graph, and the same every time', () => {
  const graph = chain({
    source: { rate: -1, retries: 3 },
    work: { latencyMs: Infinity, retry: { maxAttempts: 0, jitters: 1 } },
    edges: ['work > nowhere'],
  })
  const list = validate(graph).map(({ code, option }) => `${code} ${option}`)
  assert.deepEqual(list, [
    'OPTION_OUT_OF_BOUNDS rate',
    'OPTION_UNKNOWN retries',
    'OPTION_NOT_FINITE latencyMs',
    'OPTION_OUT_OF_BOUNDS retry.maxAttempts',
    'OPTION_UNKNOWN retry.jitters',
    'EDGE_NODE_UNKNOWN to',
  ])
  assert.equal(JSON.stringify(validate(graph)), JSON.stringify(validate(graph)))
})

test('ids may hold anything: quotes, newlines, markup, and the names that objects have', () => {
  const ids = ['a "b"', 'line\nbreak', '<b>&amp;</b>', '__proto__', 'constructor', ' ', '☃']
  const graph = graphOf(
    [{ kind: 'source', id: 'in' }, ...ids.map((id) => ({ kind: 'sink' as const, id }))],
    ids.map((to) => ({ from: 'in', to })),
  )
  assert.deepEqual(validate(graph), [])
  const [broken] = validate({ ...graph, edges: [...graph.edges, { from: 'line\nbreak', to: 'in' }] })
  assert.equal(broken?.message, 'Edge `line\\nbreak` → `in` leads into a source.')
})

test('options named like members of objects are unknown options', () => {
  const node = JSON.parse(
    '{ "kind": "sink", "id": "out", "__proto__": {}, "constructor": 1, "toString": 2 }',
  ) as GraphNode
  const codes = validate({ ...chain({}), nodes: [...chain({}).nodes.slice(0, 2), node] }).map(({ code }) => code)
  assert.deepEqual(codes, ['OPTION_UNKNOWN', 'OPTION_UNKNOWN', 'OPTION_UNKNOWN'])
})

test('a self-loop for retries is fine', () => {
  assert.deepEqual(validate(chain({ edges: [{ from: 'work', to: 'work', pathType: 'retry', ratio: 0.2 }] })), [])
})

test('a fused chain of two stages is fine', () => {
  assert.deepEqual(validate(chain({ first: { fuse: true } })), [])
})

test('a struct codec names types, and any other object is refused', () => {
  const good = [
    { struct: { x: 'f64' } },
    { struct: { x: 'f64' }, view: true },
    { struct: 'i32' },
    { struct: 'i32', view: true },
    { struct: 'bool', view: false },
    { bytes: 'borrow' },
  ]
  for (const codec of good) assert.deepEqual(validate(chain({ first: { codec } })), [])
  const bad = [
    { struct: {} },
    { struct: { x: 'f16' } },
    { struct: 'f16' },
    { struct: ['i32'] },
    { struct: 'bool', view: true },
    { struct: { x: 'f64' }, view: 'yes' },
    { struct: { x: 'f64' }, other: 1 },
    { bytes: 'lend' },
    { bytes: 'borrow', view: true },
    {},
    'xml',
    JSON.parse('{ "struct": { "__proto__": "i32" } }') as object,
    { struct: { constructor: 'i32' } },
    { struct: { toObject: 'i32' } },
  ]
  for (const codec of bad) {
    assert.equal(validate(chain({ first: { codec } }))[0]?.code, 'OPTION_VALUE_UNKNOWN', JSON.stringify(codec))
  }
})

test('whatever the graph holds, validation answers', () => {
  fc.assert(
    fc.property(fc.anything(), fc.anything(), fc.anything(), fc.anything(), (name, nodes, edges, option) => {
      validate(wild({ name, nodes, edges, clusters: edges }))
      validate(wild({ name, nodes: [nodes, option], edges: [edges, name], clusters: [option] }))
      validate(
        wild(
          chain({
            source: { rate: option },
            work: { batch: name, retry: option, when: edges },
            first: { when: option, ratio: nodes },
          }),
        ),
      )
    }),
    { numRuns: 500 },
  )
})

test('a hundred thousand nodes are validated in seconds', () => {
  const size = 100_000
  const edges = Array.from({ length: size }, (_, index) => [index, (index + 1) % size] as const)
  const began = process.cpuUsage()
  const codes = new Set(validate(transforms(size, edges)).map(({ code }) => code))
  // Core time, in microseconds: a machine that is busy otherwise takes longer.
  assert.ok(process.cpuUsage(began).user < 10_000_000)
  assert.deepEqual(codes, new Set(['SOURCE_MISSING', 'SINK_MISSING']))
})

test('predictions refuse figures that are no numbers, with all problems, and end on whatever else there is', () => {
  for (const rate of [NaN, -1, Infinity, '10', null]) {
    const graph = wild(chain({ source: { rate }, work: { latencyMS: 1 } }))
    for (const predict of [simulate, latency, maxRate, bottlenecks, deadlock, retryLoops, sizing]) {
      assert.throws(
        () => predict(graph),
        (error: unknown) => {
          assert.ok(error instanceof MillraceError)
          assert.equal(error.code, 'GRAPH_INVALID')
          assert.ok((error.detail['problems'] as Problem[]).some(({ option }) => option === 'rate'))
          return true
        },
      )
    }
  }
})

test('graphs with structural problems are answered all the same', () => {
  for (const { graph } of Object.values(CASES)) {
    for (const answer of [simulate, latency, maxRate, bottlenecks, deadlock, retryLoops, sizing, toDot, toMermaid]) {
      try {
        answer(graph)
      } catch (error) {
        assert.ok(error instanceof MillraceError, String(error))
      }
    }
  }
})

test('what is no graph at all is refused with a code by every function that takes one', () => {
  const sound = chain({})
  const malformed: unknown[] = [
    null,
    undefined,
    5,
    'graph',
    [],
    {},
    { ...sound, nodes: null },
    { ...sound, nodes: {} },
    { ...sound, edges: undefined },
    { ...sound, nodes: [...sound.nodes, null] },
    { ...sound, edges: [...sound.edges, 'a > b'] },
  ]
  const structural = { structure, cycles, topologicalOrder, centrality, cutNodes, coreNumbers, transitiveReduction }
  const functions = { ...structural, simulate, maxRate, latency, deadlock, plan }
  for (const graph of malformed) {
    assert.ok(validate(graph as GraphData).length > 0)
    assert.ok(check(graph as GraphData).problems.length > 0)
    for (const [name, call] of Object.entries(functions)) {
      assert.throws(() => call(graph as GraphData), { code: 'GRAPH_INVALID' }, `${name}(${JSON.stringify(graph)})`)
    }
    assert.throws(() => forecast(graph as GraphData, { seconds: 1 }), { code: 'GRAPH_INVALID' })
  }
})

const passing = (before: string, after: string): GraphData =>
  chain({
    nodes: ['buffer b'],
    edges: [
      { from: 'work', to: 'b', dataType: before },
      { from: 'b', to: 'out', dataType: after },
    ],
  })

const warns = (graph: GraphData): boolean => validate(graph).some(({ code }) => code === 'DATA_TYPE_MISMATCH')

test('types are compared, words are not', () => {
  assert.deepEqual(
    [warns(passing('Row', 'Order')), warns(passing('raw row', 'validated row')), warns(passing('row', 'Row'))],
    [true, false, false],
  )
})

const codesOf = (graph: GraphData): string[] => validate(graph).map(({ code }) => code)

const retrying = (retry: object): GraphData =>
  graphOf(
    [
      { kind: 'source', id: 'in', produce: () => [] },
      { kind: 'transform', id: 'a', map: (x: unknown) => x, ...retry },
      { kind: 'sink', id: 'out', write: () => undefined },
    ],
    ['in > a', 'a > out', { from: 'a', to: 'a', pathType: 'retry' }],
  )

test('a stage with handlers that calls them once for each record has no use for a retry edge', () => {
  assert.deepEqual(codesOf(retrying({})), ['RETRY_UNUSED'])
  assert.deepEqual(codesOf(retrying({ retry: { maxAttempts: 2 } })), [])
})
