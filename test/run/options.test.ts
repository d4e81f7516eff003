/** Every number that can be given, and everything that is none: refused at once, with the place where it was given. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type GraphData, type MillraceError, type NodeKind, type RunOptions, run } from 'millrace'
import { type OptionSpec, type OptionTable, EDGE_OPTIONS, NODE_OPTIONS, RUN_OPTIONS } from '#src/options/index.js'

type Problems = readonly { readonly node?: string; readonly edge?: number; readonly option?: string }[]
const TIMELY = { timeout: 60_000 }
const NO_NUMBERS: readonly unknown[] = [NaN, Infinity, -Infinity, '5', null, true, {}, []]

/** Values that an option must not take: what is no finite number, and numbers outside its bounds. */
function wrongValues({ type, min, max, above }: OptionSpec): readonly unknown[] {
  const isWhole = type === 'integer'
  const outside = [
    ...(min === undefined ? [] : [min - 1, -1e308]),
    ...(max === undefined ? [] : [max + 1, 1e308]),
    ...(above === undefined ? [] : [above, above - 1]),
  ]
  return [...NO_NUMBERS, ...outside, ...(isWhole ? [1.5] : [])]
}

/** The numbers of a table, with the path of each. */
function numbersOf(table: OptionTable, kind?: NodeKind, path: readonly string[] = []): [string[], OptionSpec][] {
  return Object.entries(table).flatMap(([key, spec]): [string[], OptionSpec][] => {
    if (kind !== undefined && spec.kinds !== undefined && !spec.kinds.includes(kind)) return []
    if (spec.type === 'object') return numbersOf(spec.fields ?? {}, undefined, [...path, key])
    return spec.type === 'integer' || spec.type === 'number' ? [[[...path, key], spec]] : []
  })
}

/** `{ a: { b: value } }` for the path a, b. */
function nested(path: readonly string[], value: unknown): object {
  return path.reduceRight((inner, key) => ({ [key]: inner }), value) as object
}

const KINDS = ['source', 'transform', 'buffer', 'conditional', 'merge', 'sink'] as const

function graphOf(kind: NodeKind, options: object, edge: object = {}): GraphData {
  const nodes = [{ id: 'here', kind, ...options }]
  return {
    name: 'hostile',
    module: import.meta.url,
    nodes,
    edges: [{ from: 'here', to: 'here', ...edge }],
    clusters: [],
  }
}

async function problemsOf(graph: GraphData, options: RunOptions, code: string): Promise<Problems> {
  const error = await run(graph, options).then(
    () => assert.fail('it ran'),
    (reason: MillraceError) => reason,
  )
  assert.equal(error.code, code)
  assert.equal(error.detail['graph'], 'hostile')
  return error.detail['problems'] as Problems
}

test('a number of a run that is out of its bounds, or none, is refused with its name', TIMELY, async () => {
  for (const [path, spec] of numbersOf(RUN_OPTIONS)) {
    for (const value of wrongValues(spec)) {
      const problems = await problemsOf(graphOf('source', {}), nested(path, value), 'OPTIONS_INVALID')
      assert.deepEqual(
        problems.map(({ option }) => option),
        [path.join('.')],
        `${path.join('.')}: ${String(value)}`,
      )
    }
  }
})

for (const kind of KINDS) {
  test(
    `a number of a ${kind} that is out of its bounds, or none, is refused with node and option`,
    TIMELY,
    async () => {
      for (const [path, spec] of [
        ...numbersOf(NODE_OPTIONS, kind),
        [['unknown'], { type: 'number', text: '' }] as const,
      ]) {
        for (const value of wrongValues(spec)) {
          const problems = await problemsOf(graphOf(kind, nested(path, value)), {}, 'GRAPH_INVALID')
          const isTold = problems.some(({ node, option }) => node === 'here' && option === path.join('.'))
          assert.ok(isTold, `${path.join('.')}: ${String(value)}`)
        }
      }
    },
  )
}

test('a number of an edge that is out of its bounds, or none, is refused with edge and option', TIMELY, async () => {
  for (const [path, spec] of numbersOf(EDGE_OPTIONS)) {
    for (const value of wrongValues(spec)) {
      const problems = await problemsOf(graphOf('source', {}, nested(path, value)), {}, 'GRAPH_INVALID')
      const isTold = problems.some(({ edge, option }) => edge === 0 && option === path.join('.'))
      assert.ok(isTold, `${path.join('.')}: ${String(value)}`)
    }
  }
})
