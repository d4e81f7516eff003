/** Every text of a picture can be read, whatever it lies on; every number in it is one; long graphs are no ribbons. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type DrawOptions, type GraphData, type Theme } from 'millrace'
import { simulate } from 'millrace/analysis'
import { theme, THEMES, toDot, toMermaid, toSvg, views } from 'millrace/render'
import { contrast, readableOn, textOn } from '#src/render/color.js'
import { MOST_NESTED } from '#src/render/nesting.js'
import { rowsOf } from '#src/render/rows.js'
import { graphOf } from '../analysis/graphs.js'
import { measured } from '../analysis/measurements.js'

const KINDS = ['source', 'transform', 'buffer', 'conditional', 'merge', 'sink'] as const
const PATHS = ['normal', 'error', 'retry', 'dead_letter'] as const
/** Every kind of node and edge, within clusters of every brightness, outside and across. */
const FILLS = [undefined, '#f0fdf4', '#1e293b', '#808080', '#ffffff', '#000000']
const zoo: GraphData = {
  name: 'zoo',
  clusters: FILLS.map((fillcolor, i) => ({ id: `c${i}`, ...(fillcolor === undefined ? {} : { fillcolor }) })),
  nodes: [...FILLS.keys(), 'out'].flatMap((i) =>
    KINDS.map((kind) => ({
      id: `${kind}-${i}`,
      kind,
      ...(kind === 'source' ? { rate: 100 } : {}),
      ...(kind === 'transform' ? { latencyMs: 20 } : {}),
      ...(typeof i === 'number' ? { cluster: `c${i}` } : {}),
    })),
  ),
  edges: [...FILLS.keys(), 'out'].flatMap((i) => [
    { from: `source-${i}`, to: `transform-${i}`, label: 'in' },
    ...PATHS.map((pathType) => ({ from: `transform-${i}`, to: `sink-${i}`, label: 'text', pathType })),
    { from: `transform-${i}`, to: 'sink-out', label: 'across' },
  ]),
}

const of = (line: string, name: string): string | undefined => new RegExp(` ${name}="([^"]*)"`).exec(line)?.[1]

/** Pairs of a text's colour and what it lies on, with the line that they stand in. */
function pairsOfDot(dot: string, page: string): (readonly [text: string, fill: string, line: string])[] {
  return dot.split('\n').flatMap((line) => {
    const fill = of(line, 'bgcolor') ?? page
    const font = of(line, 'fontcolor') ?? ''
    if (/^ *graph \[rankdir/.test(line)) return [[font, page, line] as const]
    if (/^ *graph \[id="cluster/.test(line))
      return [[font, of(line, 'style')!.includes('filled') ? of(line, 'fillcolor')! : page, line] as const]
    if (line.includes(' -> ')) return [[font, fill, line] as const]
    if (line.includes('id="legend"')) {
      const cells = [...line.matchAll(/<td(?: bgcolor="([^"]*)")?[^>]*><font color="([^"]*)"/g)]
      return cells.map(([, behind = page, color = '']) => [color, behind, line] as const)
    }
    if (!/^ *"/.test(line)) return []
    const soft = [...line.matchAll(/<font point-size="\d+" color="([^"]*)"/g)].map(([, color = '']) => color)
    return [font, ...soft].map((color) => [color, of(line, 'fillcolor')!, line] as const)
  })
}

function pairsOfMermaid(text: string): (readonly [string, string, string])[] {
  const behind = /"edgeLabelBackground":"([^"]*)"/.exec(text)![1]!
  return text.split('\n').flatMap((line) => {
    const color = /,color:([^,]*)/.exec(line)?.[1]
    if (color === undefined) return []
    if (line.includes('linkStyle')) return [[color, behind, line] as const]
    const fill = /fill:([^,]*)/.exec(line)![1]!
    return [[color, fill === 'none' ? behind : fill, line] as const]
  })
}

function readable(options: DrawOptions & { readonly theme: Theme }): void {
  const { background } = options.theme
  const page = background === 'transparent' ? '#ffffff' : background
  const shown = { title: true, legend: true, ...options }
  const pairs = [...pairsOfDot(toDot(zoo, shown), page), ...pairsOfMermaid(toMermaid(zoo, shown))]
  assert.ok(pairs.length > 120)
  for (const [text, fill, line] of pairs) {
    const ratio = contrast(text, fill) ?? 0
    assert.ok(ratio >= 4.5, `${options.theme.name}: ${text} on ${fill} is ${ratio.toFixed(2)}: ${line.slice(0, 300)}`)
  }
}

const BRAND = theme('default', {
  name: 'brand',
  colors: { sink: '#ef4444' },
  edgeColor: '#94a3b8',
  edgeFontColor: '#94a3b8',
  rankdir: 'TB',
})

test('every text of every theme has a contrast of at least 4.5 to what it lies on', () => {
  const simulation = simulate(zoo)
  for (const each of [...Object.values(THEMES), BRAND]) {
    readable({ theme: each })
    readable({ theme: each, simulation })
    readable({ theme: each, simulation, heat: true })
    readable({ theme: each, measurements: measured(zoo, {}), heat: true })
  }
})

test('a theme of one’s own is made readable, whatever its colours are', () => {
  const color = fc.integer({ min: 0, max: 0xffffff }).map((value) => `#${value.toString(16).padStart(6, '0')}`)
  const colors = fc.record(Object.fromEntries(KINDS.map((kind) => [kind, color])))
  const own = fc.record({
    colors,
    nodeFontColor: color,
    edgeColor: color,
    edgeFontColor: color,
    background: fc.oneof(color, fc.constant('transparent')),
    clusterFillColor: color,
    clusterFontColor: color,
    clusterStyle: fc.constantFrom('filled', 'rounded', 'rounded,filled', 'dashed'),
  })
  fc.assert(
    fc.property(own, fc.constantFrom(...Object.values(THEMES)), (overrides, base) => {
      readable({ theme: theme(base, { name: JSON.stringify(overrides), ...overrides }) })
    }),
    { numRuns: 60 },
  )
  fc.assert(
    fc.property(color, color, (fill, text) => {
      assert.ok(contrast(textOn(fill), fill)! >= 4.5)
      assert.ok(contrast(readableOn(fill, text), fill)! >= 4.5)
      if (contrast(text, fill)! >= 4.5) assert.equal(readableOn(fill, text), text)
    }),
  )
})

test('what reads as a statement of Mermaid in a text is none there', () => {
  const texts = [
    'direction LR',
    'Direction  TB',
    'xdirection\tRL y',
    'direction',
    'style a:#1;',
    'classDef x:#fff;',
    'end',
    'subgraph',
  ]
  const odd: GraphData = {
    name: 'direction LR',
    nodes: texts.map((label, i) => ({
      id: `direction ${label}`,
      kind: i === 0 ? 'source' : 'sink',
      label,
      cluster: label,
    })),
    edges: texts.map((label) => ({ from: 'direction direction LR', to: `direction ${label}`, label, when: label })),
    clusters: texts.map((id) => ({ id, label: id })),
  }
  const own = theme('default', {
    nodeFontName: 'direction LR',
    edgeFontName: 'direction LR',
    clusterColor: 'direction LR',
  })
  const lines = toMermaid(odd, { title: true, theme: own }).split('\n')
  const body = lines.slice(lines.lastIndexOf('---') + 1)
  // As the lexer of Mermaid has them: a line that says this anywhere is a statement as a whole.
  assert.deepEqual(
    new Set(body.filter((line) => /.*direction\s+(TB|BT|RL|LR|TD)/i.test(line)).map((line) => line.trim())),
    new Set(['direction LR']),
  )
  for (const line of body) assert.doesNotMatch(line, /(style|classDef).*:\S*#.*;/)
})

test('whatever the figures are, every number in a picture is one, and Graphviz takes it', async () => {
  const viz = await (await import('@viz-js/viz')).instance()
  const number = fc.oneof(
    fc.constantFrom(Number.NaN, Infinity, -Infinity, 0, -0, -1, 1e308, 5e-324),
    fc.double(),
    fc.integer({ min: 0, max: 10_000 }),
  )
  const three = graphOf(
    [{ kind: 'source', id: 'a', cluster: 'c' }, { kind: 'buffer', id: 'b', capacity: 9 }, 'sink d'],
    ['a > b', 'b > d'],
    [{ id: 'c' }],
  )
  const simulation = simulate(three)
  fc.assert(
    fc.property(
      fc.array(number, { minLength: 12, maxLength: 12 }),
      fc.boolean(),
      fc.string({ unit: 'binary' }),
      (n, heat, label) => {
        const odd = {
          ...simulation,
          nodes: simulation.nodes.map((flow) => ({
            ...flow,
            in: n[0]!,
            offered: n[1]!,
            serviceRate: n[2]!,
            utilisation: n[3]!,
          })),
          edges: simulation.edges.map((flow, i) => ({ ...flow, rate: n[4 + i]! })),
          buffers: simulation.buffers.map((flow) => ({ ...flow, in: n[6]!, headroom: n[7]!, timeToFullS: n[8]! })),
          bottleneck: { by: 'stage' as const, node: 'd', saturated: true },
        }
        const own = theme('default', {
          nodePenWidth: n[9]!,
          edgeFontSize: n[10]!,
          nodeSep: n[11]!,
          nodeFontSize: n[10]!,
        })
        const labelled = { ...three, nodes: three.nodes.map((node) => ({ ...node, label })) }
        const options = { simulation: odd, heat, title: label, legend: true }
        for (const text of [
          toDot(labelled, options),
          toMermaid(labelled, options),
          toDot(labelled, { ...options, theme: own }),
          toMermaid(labelled, { ...options, theme: own }),
        ])
          assert.doesNotMatch(text.replaceAll(label, ''), /\bNaN|Infinity|undefined|null/)
        const { status, errors } = viz.render(toDot(labelled, options), { format: 'svg' })
        assert.equal(status, 'success', JSON.stringify(errors))
      },
    ),
    { numRuns: 25 },
  )
})

const deep = (depth: number): GraphData => ({
  name: 'deep',
  nodes: [
    { id: 'in', kind: 'source', rate: 1, cluster: `c${depth - 1}` },
    { id: 'out', kind: 'sink', cluster: `c${Math.floor(depth / 2)}` },
  ],
  edges: [{ from: 'in', to: 'out' }],
  clusters: Array.from({ length: depth }, (_, i) => ({ id: `c${i}`, ...(i === 0 ? {} : { parent: `c${i - 1}` }) })),
})

test('nested clusters are drawn in time linear in them, and so deep as Graphviz and Mermaid can bear', async () => {
  const most = deep(MOST_NESTED)
  assert.equal(toDot(most).match(/subgraph/g)!.length, MOST_NESTED)
  const far = deep(20_000)
  const options = { simulation: simulate(far), heat: true, views: [views.zoom(2)] }
  for (const graph of [far, { ...far, clusters: far.clusters.toReversed() }]) {
    assert.equal(toDot(graph, options).match(/subgraph/g)!.length, MOST_NESTED)
    assert.equal(toMermaid(graph, options).match(/subgraph/g)!.length, MOST_NESTED)
  }
  const svg = await toSvg(far)
  assert.match(svg, /id="node_in"/)
  const loop = {
    ...far,
    clusters: far.clusters.map((cluster, i) => (i === 0 ? { ...cluster, parent: 'c19999' } : cluster)),
  }
  assert.equal(toDot(loop).match(/^ {2}subgraph/gm)!.length, 20_000)
})

const chain = (count: number, more: Partial<GraphData> = {}): GraphData => ({
  name: 'chain',
  nodes: Array.from({ length: count }, (_, i) => ({
    id: `step-${i}`,
    kind: i === 0 ? 'source' : i === count - 1 ? 'sink' : 'transform',
    ...(i === 0 ? { rate: 100 } : { latencyMs: 1 }),
    ...(more.clusters === undefined ? {} : { cluster: `c${Math.floor(i / 5)}` }),
  })),
  edges: Array.from({ length: count - 1 }, (_, i) => ({ from: `step-${i}`, to: `step-${i + 1}` })),
  clusters: [],
  ...more,
})

async function sizeOf(graph: GraphData, options: DrawOptions = {}): Promise<{ width: number; height: number }> {
  const [, width, height] = /<svg width="(\d+)pt" height="(\d+)pt"/.exec(await toSvg(graph, options))!
  return { width: Number(width), height: Number(height) }
}

test('a long chain is drawn in rows, in order, each step after the one before it', async () => {
  for (const count of [16, 30, 60]) {
    for (const rankdir of ['LR', 'TB'] as const) {
      const { width, height } = await sizeOf(chain(count), { theme: theme('default', { rankdir }) })
      const ratio = width / height
      assert.ok(ratio < 5 && ratio > 1 / 5, `${count} ${rankdir}: ${width} x ${height}`)
    }
    const svg = await toSvg(chain(count))
    const places = Array.from({ length: count }, (_, i) => {
      const group = new RegExp(`<g id="node_+step_${i}_[^]*?<text[^>]* x="([-\\d.]+)" y="([-\\d.]+)"`).exec(svg)!
      return { x: Number(group[1]), y: Number(group[2]) }
    })
    for (let i = 1; i < count; i++) {
      const [a, b] = [places[i - 1]!, places[i]!]
      assert.ok(b.x > a.x || b.y > a.y, `step ${i} comes after or below`)
    }
  }
  const ribbon = await sizeOf(chain(30), { wrap: false })
  assert.ok(ribbon.width > 20 * ribbon.height)
  assert.doesNotMatch(toDot(chain(11)), /constraint/)
})

test('rows cut no cluster, and a chain in one cluster stays in one row', async () => {
  const clusters = Array.from({ length: 6 }, (_, i) => ({ id: `c${i}` }))
  const dot = toDot(chain(30, { clusters }))
  const turns = [...dot.matchAll(/"step-(\d+)" -> "step-(\d+)" .*constraint="false"/g)]
  assert.ok(turns.length > 0)
  for (const [, from, to] of turns) assert.ok(Math.floor(Number(from) / 5) < Math.floor(Number(to) / 5))
  const whole = chain(30)
  const one = {
    ...whole,
    clusters: [{ id: 'all' }],
    nodes: whole.nodes.map((node) => ({ ...node, cluster: 'all' })),
  }
  assert.doesNotMatch(toDot(one), /constraint/)
  assert.ok((await sizeOf(chain(30, { clusters }))).width < 2_500)
})

test('rows are found in time linear in the graph, loops and long ways back included', () => {
  const count = 100_000
  const nodes = Array.from({ length: count }, (_, i) => `step-${i}`)
  const onward = nodes.slice(1).map((to, i) => ({ from: nodes[i]!, to }))
  const back = Array.from({ length: count / 10 }, (_, i) => ({ from: nodes[count - 1 - i]!, to: nodes[i]! }))
  const rows = rowsOf({ nodes, edges: [...onward, ...back], boxOf: () => '' })!
  for (const { from, to } of onward) {
    const step = rows.get(to)!.row - rows.get(from)!.row
    assert.ok(step === 0 || (step === 1 && rows.get(to)!.isFirst))
  }
})

test('a picture with figures points at the bottleneck, and says so in a sentence', () => {
  const slow: GraphData = {
    name: 'slow',
    nodes: [
      { id: 'in', kind: 'source', rate: 100 },
      { id: 'wait', kind: 'transform', latencyMs: 50, label: 'The slow one', cluster: 'mid' },
      { id: 'out', kind: 'sink' },
    ],
    edges: [
      { from: 'in', to: 'wait' },
      { from: 'wait', to: 'out' },
    ],
    clusters: [{ id: 'mid' }],
  }
  const simulation = simulate(slow)
  const dot = toDot(slow, { simulation })
  assert.match(
    dot,
    /label=<<font point-size="12">The slow one holds everything up: it is full at 20\/s, 20 % of what is offered<\/font>>/,
  )
  assert.match(dot, /"wait" \[.*the bottleneck.*peripheries=2/)
  assert.equal(dot.match(/peripheries/g)!.length, 1)
  assert.match(dot, /<b>mid<\/b><br align="left"\/><font point-size="9">20\/s in · 20\/s out · busiest 100 %<\/font>/)
  assert.match(toDot(slow, { simulation, views: [views.collapse('mid')] }), /"mid" \[.*peripheries=2/)
  const mermaid = toMermaid(slow, { simulation, title: true })
  assert.match(mermaid, /^title: "slow: The slow one holds everything up/m)
  assert.match(mermaid, /the bottleneck/)
  assert.doesNotMatch(toDot(slow), /peripheries|holds everything up|busiest/)
  const idle = simulate({ ...slow, nodes: slow.nodes.map((node) => ({ ...node, latencyMs: 0.1 })) })
  assert.doesNotMatch(toDot(slow, { simulation: idle }), /peripheries|holds everything up/)
  const live = toDot(slow, { measurements: measured(slow, { nodes: { wait: { busy: 1 } } }) })
  assert.match(live, /"wait" \[.*peripheries=2/)
  assert.match(live, /`wait` is busy 100 % of the time/)
})
