import { extname } from 'node:path'
import { simulate } from '../analysis/flow/simulate.ts'
import { path, PATH_MEASURES } from '../analysis/path.ts'
import { validate } from '../analysis/validate.ts'
import { availableCores } from '../cores.ts'
import type { GraphData } from '../graph/types.ts'
import { toDot } from '../render/dot.ts'
import { toMermaid } from '../render/mermaid.ts'
import type { Highlight } from '../render/highlight.ts'
import type { DrawOptions } from '../render/picture.ts'
import { toSvg } from '../render/svg.ts'
import type { Theme } from '../render/theme.ts'
import { theme, THEMES, type ThemeName } from '../render/themes.ts'
import { numberOf, positiveOf, textOf, textsOf, UsageError, type Call, type Command, type Values } from './command.ts'
import { GRAPH_OPTIONS, loadFile, loadGraph, loadMeasurements } from './load-graph.ts'
import { exitCode, problemLines } from './report.ts'
import { sheetOf } from './sheet.ts'
import { endsOf, viewsOf } from './view-option.ts'
import { writeTextFile } from './text-file.ts'

const FORMATS = ['mermaid', 'dot', 'svg', 'html'] as const
type Format = (typeof FORMATS)[number]
const DIRECTIONS = ['LR', 'TB', 'RL', 'BT'] as const

export const drawCommand: Command = {
  summary: 'Draws a graph as Mermaid, DOT or SVG, or as an interactive HTML file.',
  usage: 'GRAPH [--format mermaid|dot|svg|html] [--theme NAME] [--view VIEW …] [--path FROM,TO] [--heat] [--out FILE]',
  options: {
    ...GRAPH_OPTIONS,
    format: {
      type: 'string',
      value: 'FORMAT',
      text: 'mermaid, dot, svg or html. Default: the extension of --out, otherwise mermaid.',
    },
    theme: { type: 'string', value: 'NAME', text: `${Object.keys(THEMES).join(', ')}. Default: default.` },
    direction: { type: 'string', value: 'LR|TB|RL|BT', text: 'Direction of the flow. Default: from the theme.' },
    view: {
      type: 'string',
      multiple: true,
      value: 'VIEW',
      text: 'zoom=0|1|2, focus=ID, up=ID, down=ID, between=FROM,TO, only=KIND,…, or collapse=CLUSTER. Repeatable.',
    },
    radius: { type: 'string', value: 'N', text: 'Edges around what focus, up, down and between show.' },
    highlight: {
      type: 'string',
      multiple: true,
      value: 'ID',
      text: 'Draws this node with bold lines. Repeatable.',
    },
    path: {
      type: 'string',
      value: 'FROM,TO',
      text: 'Draws the best path between two nodes with bold lines.',
    },
    by: {
      type: 'string',
      value: 'MEASURE',
      text: `Measure of the best path: ${PATH_MEASURES.join(', ')}. Default: hops.`,
    },
    title: { type: 'boolean', text: 'Adds the name of the graph.' },
    legend: { type: 'boolean', text: 'Adds a legend of colours and lines.' },
    predict: { type: 'boolean', text: 'Shows predicted rates and loads.' },
    heat: {
      type: 'boolean',
      text: 'Colours stages by utilisation and buffers by fill: measured, or else predicted.',
    },
    cores: { type: 'string', value: 'N', text: 'Cores for the prediction. Default: those that this process may use.' },
    measurements: {
      type: 'string',
      value: 'FILE',
      text: 'Measurements in JSON: shows rates, 99th percentiles and fills.',
    },
    diff: { type: 'string', value: 'BEFORE', text: 'html: shows what changed since this graph.' },
    out: { type: 'string', value: 'FILE', text: 'Writes to this file instead of printing.' },
  },
  async run(call) {
    const { values, output } = call
    const graph = await loadGraph(call)
    const format = formatOf(values)
    const picture =
      format === 'html' ? await sheet(call, graph) : await drawn(graph, format, await optionsOf(call, graph))
    const file = textOf(values, 'out')
    if (file !== undefined) await writeTextFile(file, picture)
    // What can be drawn is drawn, but nobody should take it for sound.
    const problems = validate(graph)
    if (values['json'] === true) {
      const result = { graph: graph.name, format, problems, ...(file === undefined ? { picture } : { file }) }
      output.print(JSON.stringify(result, undefined, 2))
    } else {
      if (file === undefined) output.print(picture.trimEnd())
      if (problems.length > 0)
        output.warn(
          problemLines(problems, { ...output, color: false })
            .join('\n')
            .trimEnd(),
        )
    }
    return exitCode(problems, values)
  },
}

async function drawn(graph: GraphData, format: Exclude<Format, 'html'>, options: DrawOptions): Promise<string> {
  if (format === 'svg') return toSvg(graph, options)
  return format === 'dot' ? toDot(graph, options) : toMermaid(graph, options)
}

/** What else a picture takes is chosen in the sheet itself. */
const OF_SHEETS: ReadonlySet<string> = new Set([
  ...Object.keys(GRAPH_OPTIONS),
  'format',
  'measurements',
  'cores',
  'diff',
  'out',
])

/** @throws UsageError, and what `sheetOf` throws */
async function sheet(call: Call, graph: GraphData): Promise<string> {
  const { values } = call
  const other = Object.keys(values).find((name) => !OF_SHEETS.has(name))
  if (other !== undefined) throw new UsageError(`--${other} cannot be used with html: its reader chooses.`)
  const before = textOf(values, 'diff')
  return sheetOf(graph, {
    before: before === undefined ? undefined : await loadFile(before, values),
    measurements: await loadMeasurements(call),
    cores: positiveOf(values, 'cores') ?? availableCores(),
  })
}

function formatOf(values: Values): Format {
  const ending = extname(textOf(values, 'out') ?? '').slice(1)
  const byEnding = { svg: 'svg', dot: 'dot', gv: 'dot', html: 'html' }[ending] ?? 'mermaid'
  return oneOf(FORMATS, textOf(values, 'format') ?? byEnding, 'format')
}

async function optionsOf(call: Call, graph: GraphData): Promise<DrawOptions> {
  const { values } = call
  if (values['diff'] !== undefined)
    throw new UsageError('--diff takes --format html. `millrace diff` prints what changed.')
  const measurements = await loadMeasurements(call)
  const wantsFigures = values['predict'] === true || (values['heat'] === true && measurements === undefined)
  const cores = positiveOf(values, 'cores') ?? availableCores()
  return {
    theme: themeOf(values),
    highlight: highlightOf(values, graph),
    views: viewsOf(graph, textsOf(values, 'view'), numberOf(values, 'radius')),
    title: values['title'] === true,
    legend: values['legend'] === true,
    heat: values['heat'] === true,
    ...(measurements === undefined ? {} : { measurements }),
    ...(wantsFigures ? { simulation: simulate(graph, { cores }) } : {}),
  }
}

/** @throws UsageError */
function highlightOf(values: Values, graph: GraphData): Highlight {
  const nodes = textsOf(values, 'highlight')
  const given = textOf(values, 'path')
  const by = textOf(values, 'by')
  if (given === undefined) {
    if (by !== undefined) throw new UsageError('--by says what the way of --path is the best in: it takes --path.')
    return { nodes }
  }
  const [from, to] = endsOf(graph, given, '--path FROM,TO')
  const way = path(graph, from, to, { by: oneOf(PATH_MEASURES, by ?? 'hops', 'by') })
  if (way === undefined) throw new UsageError(`--path: there is no path from ${from} to ${to}.`)
  return { nodes: [...nodes, ...way.nodes], edges: way.edges }
}

function themeOf(values: Values): Theme {
  const name = oneOf(Object.keys(THEMES) as ThemeName[], textOf(values, 'theme') ?? 'default', 'theme')
  const direction = textOf(values, 'direction')
  return direction === undefined ? THEMES[name] : theme(name, { rankdir: oneOf(DIRECTIONS, direction, 'direction') })
}

function oneOf<T extends string>(known: readonly T[], given: string, option: string): T {
  const found = known.find((each) => each === given)
  if (found === undefined) throw new UsageError(`--${option} takes ${known.join(', ')}, not ${JSON.stringify(given)}.`)
  return found
}
