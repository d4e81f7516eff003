import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { EDGE_OPTIONS, NODE_OPTIONS, type OptionSpec } from '#src/options/index.js'
import { Ajv } from 'ajv'
import { dataflow, type GraphNode, graphToJson, type NodeKind } from 'millrace'
import { graphFromJson, validate } from 'millrace/analysis'
import { graphSchema, printed } from '../../scripts/print-graph-schema.js'

const graph = dataflow('orders', import.meta.url)
  .cluster('shop', { label: 'Shop', fillcolor: '#eff6ff' })
  .source('in', { rate: 100, poll: () => null })
  .transform('work', {
    cluster: 'shop',
    latencyMs: 5,
    batch: { size: 10, by: () => 'key' },
    mapBatch: { module: './work.js', export: 'work' },
    retry: { maxAttempts: 3, when: () => true },
  })
  .buffer('queue', { capacity: 10 })
  .sink('out')
  .connect('in', 'work', { dataType: 'order', codec: { struct: { id: 'u32' } } })
  .connect('work', 'queue')
  .connect('queue', 'out', { weight: 2 })
const isValid = new Ajv({ allErrors: true }).compile(graphSchema())

test('a graph becomes JSON without its functions, with the keys of the builder', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(graphToJson(graph))), {
    name: 'orders',
    nodes: [
      { id: 'in', kind: 'source', rate: 100 },
      {
        id: 'work',
        kind: 'transform',
        cluster: 'shop',
        latencyMs: 5,
        batch: { size: 10 },
        mapBatch: { module: './work.js', export: 'work' },
        retry: { maxAttempts: 3 },
      },
      { id: 'queue', kind: 'buffer', capacity: 10 },
      { id: 'out', kind: 'sink' },
    ],
    edges: [
      { from: 'in', to: 'work', dataType: 'order', codec: { struct: { id: 'u32' } } },
      { from: 'work', to: 'queue' },
      { from: 'queue', to: 'out', weight: 2 },
    ],
    clusters: [{ id: 'shop', label: 'Shop', fillcolor: '#eff6ff' }],
  })
})

test('what was written is read back the same, and can be built on', () => {
  const text = JSON.stringify(graphToJson(graph))
  const again = graphFromJson(text)
  assert.equal(JSON.stringify(graphToJson(again)), text)
  assert.deepEqual(
    validate(again).filter(({ severity }) => severity === 'error'),
    [],
  )
  const more = again.sink('copy').connect('queue', 'copy')
  assert.equal(more.edges.length, 4)
  assert.ok(Object.isFrozen(again.nodes[1]?.batch))
})

test('edges and clusters may be left out, and a schema may be named', () => {
  const again = graphFromJson({ $schema: 'graph.schema.json', name: 'x', nodes: [] })
  assert.deepEqual([again.edges, again.clusters], [[], []])
})

test('what is no graph is refused with a code that says where', () => {
  const refused: [unknown, RegExp][] = [
    ['{', /reason/],
    ['7', /place: graph, want: an object, is: number/],
    [null, /is: null/],
    [[], /is: an array/],
    [{ nodes: [] }, /place: name/],
    [{ name: 'x' }, /place: nodes, want: an array/],
    [{ name: 'x', nodes: [1] }, /place: nodes\[0\]/],
    [{ name: 'x', nodes: [], edges: {} }, /place: edges/],
    [{ name: 'x', nodes: [], nodez: [] }, /unknown: nodez/],
  ]
  for (const [json, message] of refused) {
    assert.throws(() => graphFromJson(json), { code: 'GRAPH_JSON_INVALID', message })
  }
})

test('keys and ids named like members of objects survive the way there and back', () => {
  const text =
    '{"name":"x","nodes":[{"id":"__proto__","kind":"sink","__proto__":{"polluted":true}}],"edges":[],"clusters":[]}'
  const again = graphFromJson(text)
  assert.equal(JSON.stringify(graphToJson(again)), text)
  assert.equal(Reflect.get(again.nodes[0] ?? {}, 'polluted'), undefined)
  assert.ok(validate(again).some(({ code, option }) => code === 'OPTION_UNKNOWN' && option === '__proto__'))
})

test('a text that begins with a byte order mark is read like any other', () => {
  assert.equal(graphFromJson('\uFEFF{"name":"x","nodes":[]}').name, 'x')
})

test('schema/graph.schema.json is what the tables of options print', () => {
  const file = readFileSync(new URL('../../../schema/graph.schema.json', import.meta.url), 'utf8')
  assert.equal(file, printed(graphSchema()), 'print it again: node build/scripts/print-graph-schema.js')
})

test('the schema takes what graphToJson writes', () => {
  assert.ok(isValid(JSON.parse(JSON.stringify(graphToJson(graph)))), JSON.stringify(isValid.errors))
})

/** Values that some option takes and others refuse. */
const VALUES = [
  -1,
  0,
  0.5,
  1,
  2,
  1e9,
  'text',
  'normal',
  'shape',
  true,
  null,
  [],
  {},
  { size: 0 },
  { module: 'm', export: 'e' },
]

function sound(options: object): boolean {
  return validate({ name: 'x', nodes: [], edges: [], clusters: [], ...options }).every(
    ({ option, code }) => option === undefined || !/^OPTION|^HANDLER_INVALID/.test(code),
  )
}

test('schema and validation agree on every option and every kind of value', () => {
  const kinds: readonly NodeKind[] = ['source', 'transform', 'buffer', 'conditional', 'merge', 'sink']
  for (const value of VALUES) {
    for (const name of Object.keys(NODE_OPTIONS)) {
      for (const kind of kinds) {
        const nodes = [{ id: 'n', kind, [name]: value }] as unknown as GraphNode[]
        assert.equal(isValid({ name: 'x', nodes }), sound({ nodes }), `${kind}.${name}: ${JSON.stringify(value)}`)
      }
    }
    for (const name of Object.keys(EDGE_OPTIONS)) {
      const edges = [{ from: 'a', to: 'b', [name]: value }]
      assert.equal(isValid({ name: 'x', nodes: [], edges }), sound({ edges }), `edge ${name}: ${JSON.stringify(value)}`)
    }
  }
})

test('every default of an option is a value that it takes', () => {
  const specs: [string, OptionSpec][] = [
    ...Object.entries<OptionSpec>(NODE_OPTIONS),
    ...Object.entries<OptionSpec>(EDGE_OPTIONS),
  ]
  for (const [name, { default: standard, min = -Infinity, max = Infinity, values }] of specs) {
    for (const value of typeof standard === 'object' ? [standard.is, standard.else] : [standard]) {
      if (typeof value === 'number') assert.ok(value >= min && value <= max, name)
      if (values !== undefined && value !== undefined) assert.ok(values.includes(String(value)), name)
    }
    for (const other of typeof standard === 'object' ? standard.when : []) assert.ok(Object.hasOwn(NODE_OPTIONS, other))
  }
})
