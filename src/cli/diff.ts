import { diff as diffGraphs, type Difference, type GraphDiff } from '../analysis/diff.ts'
import { validate } from '../analysis/validate.ts'
import { availableCores } from '../cores.ts'
import { durationText, percentText, rateText } from '../render/text.ts'
import { type Command, numberOf, positiveOf, type Output, UsageError } from './command.ts'
import { GRAPH_OPTIONS, loadFile } from './load-graph.ts'
import { exitCode, problemLines } from './report.ts'
import { limitText } from './simulation-text.ts'
import { cell, table } from './table.ts'
import { style } from './terminal-text.ts'

const DEFAULT_TOLERANCE = 0.1

export const diffCommand: Command = {
  summary: 'Shows what changed from one graph to another, and what that does to the flow.',
  usage: 'BEFORE AFTER [--tolerance SHARE] [--cores N] [--json]',
  options: {
    params: GRAPH_OPTIONS.params,
    'load-seconds': GRAPH_OPTIONS['load-seconds'],
    json: GRAPH_OPTIONS.json,
    strict: GRAPH_OPTIONS.strict,
    tolerance: {
      type: 'string',
      value: 'SHARE',
      text: `Exit code 1 if the throughput falls, or the critical path grows, by more than this share. Default: ${DEFAULT_TOLERANCE}.`,
    },
    cores: {
      type: 'string',
      value: 'N',
      text: 'Cores that `cpu` stages share. Default: those that this process may use.',
    },
  },
  async run({ positionals, values, output }) {
    const [before, after, ...more] = positionals
    if (before === undefined || after === undefined || more.length > 0) {
      throw new UsageError('Name two graphs: BEFORE and AFTER.')
    }
    const tolerance = numberOf(values, 'tolerance') ?? DEFAULT_TOLERANCE
    const cores = positiveOf(values, 'cores') ?? availableCores()
    const graphs = [await loadFile(before, values), await loadFile(after, values)] as const
    const problems = validate(graphs[1])
    const found = diffGraphs(...graphs, { cores })
    const worse = worseBy(found) > tolerance
    if (values['json'] === true) {
      output.print(JSON.stringify({ ...found, problems, worse }, undefined, 2))
    } else {
      output.print(textOf(found, output))
      if (problems.length > 0) output.warn(problemLines(problems, output).join('\n').trimEnd())
    }
    return worse ? 1 : exitCode(problems, values)
  },
}

/** By what share the flow is worse than before: less throughput, or a longer critical path. */
function worseBy({ throughput, criticalMs }: GraphDiff): number {
  const slower = throughput.before === Infinity && throughput.after === Infinity ? 0 : lost(throughput)
  const { before, after } = criticalMs
  return Math.max(slower, before === undefined || after === undefined || before === 0 ? 0 : after / before - 1)
}

function lost({ before, after }: GraphDiff['throughput']): number {
  return before === 0 ? 0 : before === Infinity ? 1 : 1 - after / before
}

function textOf({ differences, throughput, bottleneck, criticalMs }: GraphDiff, output: Output): string {
  const columns = ['', 'WHICH', 'OPTION', 'BEFORE', 'AFTER'].map((title) => ({ title }))
  const rows = differences.map(({ of, id, change, option = '', ...values }) => [
    `${change} ${of}`,
    cell(id),
    option,
    valueText(values, 'before'),
    valueText(values, 'after'),
  ])
  const grown = throughput.before > 0 && Number.isFinite(throughput.before + throughput.after)
  const share = grown ? ` (${percentText(throughput.after / throughput.before)} of it)` : ''
  return [
    ...table(columns, rows, output),
    ...(rows.length === 0 ? ['Nothing changed.'] : ['']),
    `Throughput     ${rateText(throughput.before)} → ${style('bold', rateText(throughput.after), output)}${share}`,
    `Bottleneck     ${bottleneckText(bottleneck.before)} → ${bottleneckText(bottleneck.after)}`,
    `Critical path  ${timeText(criticalMs.before)} → ${timeText(criticalMs.after)}`,
  ].join('\n')
}

function valueText(values: Pick<Difference, 'before' | 'after'>, side: 'before' | 'after'): string {
  return values[side] === undefined ? '' : cell(JSON.stringify(values[side]))
}

function bottleneckText(limit: GraphDiff['bottleneck']['before']): string {
  return limit === undefined ? 'none' : limitText(limit)
}

function timeText(ms: number | undefined): string {
  return ms === undefined ? 'none' : durationText(ms)
}
