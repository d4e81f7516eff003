import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { contrast, heatColor, mixColors, textOn } from '#src/render/color.js'
import { durationText, numberText, percentText, rateText } from '#src/render/text.js'
import fc from 'fast-check'
import { type DrawOptions, type GraphData, type Theme, type ThemeName } from 'millrace'
import { path, simulate } from 'millrace/analysis'
import { theme, THEMES, toDot, toMermaid, toSvg, views } from 'millrace/render'
import { graphOf } from '../analysis/graphs.js'
import { measured } from '../analysis/measurements.js'

const graph = graphOf(
  [
    { kind: 'source', id: 'in', rate: 1_000, label: 'Sensors', cluster: 'edge' },
    { kind: 'transform', id: 'parse', latencyMs: 2, concurrency: 3, description: 'JSON to objects', cluster: 'inner' },
    'conditional ok',
    { kind: 'buffer', id: 'queue', capacity: 8_000 },
    'merge all',
    { kind: 'sink', id: 'out', latencyMs: 0.5 },
    'sink dead',
  ],
  [
    { from: 'in', to: 'parse', dataType: 'line' },
    'parse > ok',
    { from: 'ok', to: 'queue', when: 'yes', ratio: 0.9 },
    { from: 'ok', to: 'dead', when: 'no', ratio: 0.1, pathType: 'dead_letter' },
    'queue > all',
    'all > out',
    { from: 'out', to: 'all', pathType: 'retry', label: 'again' },
    { from: 'parse', to: 'dead', pathType: 'error' },
  ],
  [
    { id: 'edge', label: 'Edge' },
    { id: 'inner', parent: 'edge' },
  ],
)
const NAMES = Object.keys(THEMES) as ThemeName[]
/** Everything that the writer of a graph may put into a text. */
const EVIL = [
  'a "b"',
  'line\nbreak',
  '<b>&amp;</b>',
  '__proto__',
  'constructor',
  'end',
  '%%{init: {}}%%',
  '`md`',
  'x;y|z',
  '[a](b)',
  'back\\slash\\',
  '\u0000\u0007',
  '☃',
  '\ud800',
  'class',
  '#35;',
  ']]>',
  '{',
  ' ',
]
const evil: GraphData = {
  name: 'evil "name" <x>',
  nodes: [
    { kind: 'source', id: 'in' },
    ...EVIL.map((id) => ({
      kind: 'sink' as const,
      id,
      label: id,
      description: id,
      cluster: `in ${id}`,
      fillcolor: id,
    })),
  ],
  edges: EVIL.map((id) => ({ from: 'in', to: id, label: id, when: id })),
  clusters: EVIL.map((id) => ({ id: `in ${id}`, label: id, color: id })),
}

test('DOT has every node, edge and cluster, nested as they lie', () => {
  const dot = toDot(graph)
  for (const { id } of graph.nodes) assert.match(dot, new RegExp(`^ *"${id}" \\[`, 'm'))
  assert.equal(dot.match(/ -> /g)?.length, graph.edges.length)
  assert.match(
    dot,
    /^ {2}subgraph "cluster_edge" \{\n(?: {4}.*\n)* {4}subgraph "cluster_inner" \{\n {6}graph .*\n {6}"parse"/m,
  )
  assert.match(dot, /tooltip="JSON to objects"/)
})

test('nodes show what they declare under their names, edges what they carry', () => {
  const dot = toDot(graph)
  assert.match(dot, /<b>Sensors<\/b>.*1,000\/s/)
  assert.match(dot, /<b>parse<\/b>.*2 ms × 3/)
  assert.match(dot, /<b>queue<\/b>.*holds 8,000/)
  assert.match(dot, /yes · 90 %/)
  assert.match(dot, /&#160;line&#160;/)
})

test('path types are told apart: dashed red errors, dashed orange retries, dotted purple dead letters', () => {
  const dot = toDot(graph)
  assert.match(dot, /"parse" -> "dead" \[class="error", color="#ef4444", style="dashed"/)
  assert.match(dot, /"out" -> "all" \[class="retry", color="#f97316", style="dashed"/)
  assert.match(dot, /"ok" -> "dead" \[class="dead_letter", color="#a855f7", style="dotted"/)
})

test('all themes draw in both formats, and each in its colours', () => {
  for (const name of NAMES) {
    assert.match(toDot(graph, { theme: name }), new RegExp(`fillcolor="${THEMES[name].colors.source}"`))
    assert.match(toMermaid(graph, { theme: name }), new RegExp(`style n_in fill:${THEMES[name].colors.source}`))
  }
  assert.throws(() => toDot(graph, { theme: 'neon' as ThemeName }), { code: 'THEME_UNKNOWN' })
})

test('minimal is minimal: no fills, no details, thin grey lines', () => {
  const dot = toDot(graph, { theme: 'minimal' })
  assert.doesNotMatch(dot, /1,000|holds|× 3/)
  assert.deepEqual(new Set(dot.match(/fillcolor="[^"]*"/g)), new Set(['fillcolor="#ffffff"']))
  assert.deepEqual(
    new Set([...dot.matchAll(/ -> .*? color="([^"]*)"/g)].map(([, color]) => color)),
    new Set(['#71717a']),
  )
})

/** A theme with a value of its own in every key. */
const OWN: Omit<Theme, 'name' | 'details'> = {
  colors: {
    source: '#010101',
    transform: '#010102',
    buffer: '#010103',
    conditional: '#010104',
    merge: '#010105',
    sink: '#010106',
  },
  shapes: {
    source: 'circle',
    transform: 'hexagon',
    buffer: 'folder',
    conditional: 'Mdiamond',
    merge: 'oval',
    sink: 'tab',
  },
  nodeFontColor: '#020201',
  nodeFontName: 'Courier',
  nodeFontSize: 21,
  nodeBorderColor: '#020202',
  nodePenWidth: 2.25,
  edgeColor: '#030301',
  edgePenWidth: 3.25,
  edgeFontColor: '#030302',
  edgeFontName: 'Times',
  edgeFontSize: 17,
  paths: {
    error: { color: '#040401', style: 'dotted', width: 4.25 },
    retry: { color: '#040402', style: 'solid', width: 4.5 },
    dead_letter: { color: '#040403', style: 'dashed', width: 4.75 },
  },
  rankdir: 'BT',
  background: '#050501',
  splines: 'ortho',
  nodeSep: 0.61,
  rankSep: 1.61,
  clusterStyle: 'dashed,filled',
  clusterFillColor: '#060601',
  clusterColor: '#060602',
  clusterFontColor: '#060603',
}

test('every key of a theme shows in DOT', () => {
  for (const [key, value] of Object.entries(OWN)) {
    const before = toDot(graph, { title: true })
    const after = toDot(graph, { title: true, theme: theme('default', { [key]: value }) })
    for (const part of partsOf(value)) {
      assert.ok(after.includes(String(part)), `${key}: ${String(part)}`)
    }
    assert.notEqual(before, after, key)
  }
  assert.doesNotMatch(toDot(graph, { theme: theme('default', { details: false }) }), /holds/)
})

test('every key of a theme changes the Mermaid text too, sizes and shapes in its own terms', () => {
  for (const [key, value] of Object.entries(OWN)) {
    assert.notEqual(toMermaid(graph), toMermaid(graph, { theme: theme('default', { [key]: value }) }), key)
  }
  assert.notEqual(toMermaid(graph), toMermaid(graph, { theme: theme('default', { details: false }) }))
})

test('a theme of one’s own keeps what it does not say', () => {
  const own = theme('ocean', { colors: { sink: '#abcdef' } })
  assert.equal(own.colors.sink, '#abcdef')
  assert.equal(own.colors.source, THEMES.ocean.colors.source)
  assert.equal(theme(own, { rankdir: 'TB' }).colors.sink, '#abcdef')
})

test('options of a node or cluster win over the theme', () => {
  const own = graphOf(
    [
      {
        kind: 'source',
        id: 'in',
        fillcolor: '#123456',
        fontcolor: '#fedcba',
        shape: 'star',
        penwidth: 7,
        style: 'dashed',
        image: 'logo.png',
        cluster: 'c',
      },
    ],
    [],
    [{ id: 'c', fillcolor: '#0000ff', color: '#00ff00', style: 'dotted' }],
  )
  const dot = toDot(own)
  for (const part of [
    'fillcolor="#123456"',
    'fontcolor="#fedcba"',
    'shape="star"',
    'penwidth=7',
    'style="dashed"',
    'image="logo.png"',
    'fillcolor="#0000ff"',
    'color="#00ff00"',
    'style="dotted,filled"',
  ]) {
    assert.ok(dot.includes(part), part)
  }
})

test('text is readable on every fill of every theme and on every heat', () => {
  const fills = [
    ...NAMES.flatMap((name) => Object.values(THEMES[name].colors)),
    ...[0, 0.1, 0.3, 0.5, 0.7, 0.9, 1].map(heatColor),
  ]
  for (const fill of fills)
    assert.ok((contrast(textOn(fill), fill) ?? 0) >= 4, `${fill} ${contrast(textOn(fill), fill)}`)
  for (const name of NAMES) {
    const { background, edgeFontColor, clusterFillColor, clusterFontColor } = THEMES[name]
    assert.ok((contrast(edgeFontColor, background === 'transparent' ? '#ffffff' : background) ?? 0) >= 4.5, name)
    assert.ok((contrast(clusterFontColor, clusterFillColor) ?? 0) >= 4.5, name)
  }
})

test('colours that are no hex colours get dark text and no shade', () => {
  assert.equal(textOn('papayawhip'), '#0f172a')
  assert.equal(mixColors('papayawhip', '#000000', 0.5), 'papayawhip')
  assert.equal(mixColors('#fff', '#000', 0.5), '#808080')
})

test('title and legend come on request only, and the legend shows what the picture holds', () => {
  assert.doesNotMatch(toDot(graph), /labelloc|legend/)
  const dot = toDot(graph, { title: true, legend: true })
  assert.match(dot, /label=<<b>test<\/b>>, labelloc="t"/)
  assert.match(dot, /"legend" \[.*conditional.*dead letter/)
  const simple = toDot(graphOf(['source a', 'sink b'], ['a > b']), { legend: true })
  assert.doesNotMatch(simple, /conditional|normal<\/font>/)
  assert.match(toMermaid(graph, { title: 'A "title"' }), /^---\ntitle: "A \\"title\\""$/m)
  assert.match(toMermaid(graph, { legend: true }), /subgraph legend\["Legend"\]/)
})

test('the legend takes no name that a node has', () => {
  const taken = graphOf(['source legend', 'sink legend_'], ['legend > legend_'])
  assert.match(toDot(taken, { legend: true }), /"legend__" \[id="legend"/)
})

test('heat colours stages by utilisation and buffers by fill', () => {
  const simulation = simulate(graph)
  const dot = toDot(graph, { simulation, heat: true })
  const load = simulation.nodes.find(({ id }) => id === 'parse')?.utilisation ?? -1
  assert.match(dot, new RegExp(`"parse" \\[.*fillcolor="${heatColor(load)}"`))
  assert.match(dot, new RegExp(`"queue" \\[.*fillcolor="${heatColor(0)}"`))
  assert.match(dot, /"ok" \[.*fillcolor="#8b5cf6"/)
})

test('predicted figures stand under the names, and lines grow with their rates', () => {
  const dot = toDot(graph, { simulation: simulate(graph) })
  assert.match(dot, /<b>parse<\/b>.*1,000\/s · 67 %/)
  assert.match(dot, /<b>Sensors<\/b>.*sends 1,000\/s/)
  assert.match(dot, /"ok" -> "queue" .*900\/s/)
  const width = (edge: string): number => Number(new RegExp(`${edge} .*?penwidth=([\\d.]+)`).exec(dot)?.[1])
  assert.ok(width('"in" -> "parse"') > width('"ok" -> "queue"'))
})

test('live figures: rate, 99th percentile, busy share and fill', () => {
  const measurements = measured(graph, {
    nodes: { parse: { p99Ms: 3.14, busy: 0.5 } },
    edges: { 4: { queued: 2_000, capacity: 8_000 } },
  })
  const dot = toDot(graph, { measurements, heat: true })
  assert.match(dot, /<b>parse<\/b>.*1,000\/s · p99 3.14 ms.*50 % busy/)
  assert.match(dot, /<b>queue<\/b>.*25 % full/)
  assert.match(dot, new RegExp(`"queue" \\[.*fillcolor="${heatColor(0.25)}"`))
})

test('a collapsed node is as hot as the hottest of its members', () => {
  const dot = toDot(graph, { simulation: simulate(graph), heat: true, views: [views.collapse('edge')] })
  assert.match(dot, new RegExp(`"edge" \\[.*fillcolor="${heatColor(2 / 3)}"`))
})

test('Mermaid names depend on the id alone: another node changes no other line', () => {
  const lines = new Set(toMermaid(graph).split('\n'))
  const more = { ...graph, nodes: [{ kind: 'sink' as const, id: 'a first one' }, ...graph.nodes] }
  const added = toMermaid(more)
    .split('\n')
    .filter((line) => !lines.has(line))
  assert.equal(added.length, 2)
  assert.ok(added.every((line) => line.includes('n__a_first_one_')))
})

test('ids that look alike have different Mermaid names', () => {
  const ids = ['a b', 'a_b', 'a-b', 'a  b', 'A b', 'é', 'è', '_', '__', ' ']
  const names = toMermaid({
    name: 'x',
    nodes: ids.map((id) => ({ kind: 'sink' as const, id })),
    edges: [],
    clusters: [],
  })
  assert.equal(new Set(names.match(/\bn_\w+(?=\[")/g)).size, ids.length)
})

test('Mermaid nests clusters, and keeps an empty one a box', () => {
  const text = toMermaid({ ...graph, clusters: [...graph.clusters, { id: 'empty' }] })
  assert.match(text, /^ {2}subgraph c_edge\["Edge"\]\n {4}direction LR\n {4}n_in.*\n {4}subgraph c_inner\["inner"\]/m)
  assert.match(text, /subgraph c_empty\["empty"\]\n {4}e_empty\[ \]/)
})

test('clusters that lie in each other, or are not there, are drawn without nesting', () => {
  const odd = graphOf(
    [
      { kind: 'source', id: 'a', cluster: 'x' },
      { kind: 'sink', id: 'b', cluster: 'nowhere' },
    ],
    ['a > b'],
    [
      { id: 'x', parent: 'y' },
      { id: 'y', parent: 'x' },
      { id: 'z', parent: 'x' },
    ],
  )
  assert.match(toDot(odd), /^ {2}subgraph "cluster_x"/m)
  assert.match(toDot(odd), /^ {4}subgraph "cluster_z"/m)
  assert.match(toMermaid(odd), /n_b\["/)
})

test('no text breaks out of its place in Mermaid', () => {
  const lines = toMermaid(evil, { title: true, legend: true }).split('\n')
  const shapes = [
    /^---$/,
    /^(title|config): .*$/,
    /^flowchart LR$/,
    /^ *(direction LR|end)$/,
    /^ *subgraph \w+\["[^"]*"\]$/,
    /^ *\w+(\(\[|\[\[|\[\(|\[|\{)"[^"]*"(\]\)|\]\]|\)\]|\]|\})$/,
    /^ *\w+ (-->|-\.->)(\|"[^"]*"\|)? \w+$/,
    /^ *\w+( ~~~ \w+)+$/,
    /^ *style \w+ [^;"<>{}]*$/,
    /^ *linkStyle [\d,]+ [^;"<>{}]*$/,
    /^$/,
  ]
  for (const line of lines)
    assert.ok(
      shapes.some((shape) => shape.test(line)),
      line,
    )
})

test('Graphviz draws whatever ids and texts there are, as XML without stray characters', async () => {
  const svg = await toSvg(evil, { title: true, legend: true })
  assert.match(svg, /^<\?xml/)
  // oxlint-disable-next-line no-control-regex -- what must not be there
  assert.doesNotMatch(svg, /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/)
  assert.doesNotMatch(svg, /<b>|<script/)
  assert.equal(svg.match(/class="node sink"/g)?.length, EVIL.length)
})

test('random texts never break DOT', async () => {
  const instance = await (await import('@viz-js/viz')).instance()
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), (a, b) => {
      const texts = graphOf(
        [
          { kind: 'source', id: `1${a}`, label: b, description: a, cluster: 'c' },
          { kind: 'sink', id: `2${b}`, style: '', tooltip: a } as never,
        ],
        [{ from: `1${a}`, to: `2${b}`, label: a, when: b }],
        [{ id: 'c', label: a }],
      )
      const { status, output } = instance.render(toDot(texts, { title: a }), { format: 'svg' })
      assert.equal(status, 'success')
      assert.equal(output?.match(/class="edge normal"/g)?.length, 1)
    }),
    { numRuns: 60 },
  )
})

test('whatever a graph holds, what can be drawn is drawn', () => {
  fc.assert(
    fc.property(fc.anything(), fc.anything(), fc.anything(), (a, b, c) => {
      const nodes = [{ id: 'in', kind: 'source', label: a, rate: b, fillcolor: c }, { id: a, kind: b }, c]
      const edges = [{ from: 'in', to: a, label: b, ratio: c }, { from: b, to: 'in' }, a]
      const odd = { name: a, nodes, edges, clusters: [{ id: b, label: a, parent: c }, b] } as unknown as GraphData
      toDot(odd, { legend: true })
      toMermaid(odd, { legend: true })
    }),
  )
})

test('SVG sets the lines of a node around its middle', async () => {
  const svg = await toSvg(graph)
  const group = /<g id="node_parse" class="node transform">[^]*?<\/g>/.exec(svg)?.[0] ?? ''
  assert.match(group, /text-anchor="middle"/)
  assert.doesNotMatch(group, /text-anchor="start"/)
})

test('without the renderer, SVG is refused with the way to get it, and DOT and Mermaid need nothing', async (context) => {
  // The built library alone, where no package is found.
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
  context.after(() => rmSync(folder, { recursive: true }))
  cpSync(new URL('../../../dist', import.meta.url), join(folder, 'dist'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const alone = (await import(pathToFileURL(join(folder, 'dist/render/svg.js')).href)) as { toSvg: typeof toSvg }
  await assert.rejects(alone.toSvg(graph), { code: 'SVG_RENDERER_MISSING', message: /npm install @viz-js\/viz/ })
})

test('the same graph and options give the same bytes', async () => {
  const options: DrawOptions = { title: true, legend: true, heat: true, simulation: simulate(graph) }
  assert.equal(toDot(graph, options), toDot(structuredClone(graph), options))
  assert.equal(toMermaid(graph, options), toMermaid(structuredClone(graph), options))
  assert.equal(await toSvg(graph, options), await toSvg(structuredClone(graph), options))
})

test('numbers read well: rates, shares, times', () => {
  assert.deepEqual(
    [rateText(10_000), rateText(4.5), rateText(1_234_567.8), rateText(Infinity)],
    ['10,000/s', '4.5/s', '1,234,568/s', '∞/s'],
  )
  assert.deepEqual(
    [percentText(0), percentText(0.005), percentText(0.0995), percentText(0.9)],
    ['0 %', '0.5 %', '10 %', '90 %'],
  )
  assert.deepEqual(
    [durationText(0.05), durationText(25), durationText(1_500), durationText(90_000), durationText(7_200_000)],
    ['50 µs', '25 ms', '1.5 s', '1.5 min', '2 h'],
  )
  assert.equal(numberText(999.9), '1,000')
})

/** The values inside a theme's value, as texts that DOT shows. */
function partsOf(value: unknown): readonly unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(partsOf) : [value]
}

const way = path(graph, 'in', 'out')

test('what is highlighted has strong lines in every theme and format, and keeps its fill and its dashes', () => {
  for (const name of NAMES) {
    const { background, clusterFillColor, colors, nodePenWidth } = THEMES[name]
    const pages = [background === 'transparent' ? '#ffffff' : background, clusterFillColor]
    const highlight = { nodes: ['in'], edges: [0, 7] }
    const dot = toDot(graph, { theme: name, highlight })
    const [, color = ''] = /"in" -> "parse" \[class="normal", color="([^"]*)"/.exec(dot) ?? []
    for (const page of pages) assert.ok((contrast(color, page) ?? 0) >= 3, `${name}: ${color} on ${page}`)
    assert.match(
      dot,
      new RegExp(`^ *"in" .*fillcolor="${colors.source}", color="${color}".*penwidth=${nodePenWidth + 2.5}`, 'm'),
    )
    assert.match(dot, new RegExp(`"parse" -> "dead" .*color="${color}", style="dashed"`))
    const mermaid = toMermaid(graph, { theme: name, highlight })
    assert.match(mermaid, new RegExp(`style n_in fill:${colors.source},stroke:${color}`))
    assert.match(mermaid, new RegExp(`linkStyle 0 stroke:${color}`))
    assert.match(mermaid, new RegExp(`linkStyle 7 stroke:${color}.*stroke-dasharray`))
  }
})

test('a way is a highlight, and without one nothing changes', () => {
  const dot = toDot(graph, { highlight: way })
  assert.equal(dot.match(/ -> .*penwidth=3\.7/g)?.length, way?.edges.length)
  assert.equal(toDot(graph, { highlight: path(graph, 'out', 'in') }), toDot(graph))
})

/** Ids of the nodes, and of the ends of the edges, that `way` leads over. */
function strong(options: DrawOptions): string[] {
  const lines = toDot(graph, { highlight: way, ...options }).matchAll(/^ *"(\w+)"(?: -> "(\w+)")? .*penwidth=3\.7/gm)
  return [...lines].map(([, from = '', to]) => (to === undefined ? from : `${from} ${to}`))
}

test('highlights go through views: to bridges, collapsed nodes, and edges across', () => {
  assert.deepEqual(strong({ views: [views.zoom(1)] }).sort(), ['in', 'in parse', 'out', 'parse', 'parse out'])
  assert.ok(strong({ views: [views.collapse('edge')] }).includes('edge'))
  assert.ok(strong({ views: [views.collapse('edge')] }).includes('edge ok'))
})

test('what is highlighted must be there', () => {
  assert.throws(() => toDot(graph, { highlight: { nodes: ['nobody'] } }), { code: 'NODE_UNKNOWN' })
  assert.throws(() => toMermaid(graph, { highlight: { edges: [99] } }), { code: 'EDGE_UNKNOWN' })
})
