import { check as checkGraph, type Check } from '../analysis/check.ts'
import { objectives, type ObjectiveOutcome } from '../analysis/objectives.ts'
import { proposals, proposed } from '../analysis/proposals.ts'
import { soundEntries } from '../analysis/validate.ts'
import { availableCores } from '../cores.ts'
import type { LoopVerdict } from '../analysis/loops/verdict.ts'
import type { GraphData } from '../graph/types.ts'
import { numberText } from '../render/text.ts'
import { numberOf, positiveOf, textsOf, type Call, type Command, type Output } from './command.ts'
import { GRAPH_OPTIONS, loadGraph, loadMeasurements } from './load-graph.ts'
import { countText, exitCode, problemLines } from './report.ts'
import { objectiveLines, objectiveOf, patchOf, proposalLines } from './slo.ts'
import { cell, table, type Column, oneLine } from './table.ts'
import { style } from './terminal-text.ts'

export const checkCommand: Command = {
  summary: 'Reports every problem of a graph, and loops that can block themselves.',
  usage: 'GRAPH [--strict] [--json] [--measurements FILE] [--slo p99=200ms …] [--fix]',
  options: {
    ...GRAPH_OPTIONS,
    measurements: {
      type: 'string',
      value: 'FILE',
      text: 'Measurements in JSON, to compare with what the graph declares.',
    },
    tolerance: { type: 'string', value: 'SHARE', text: 'How far a declared figure may differ. Default: 0.1.' },
    slo: {
      type: 'string',
      multiple: true,
      value: 'FIGURE=BOUND',
      text: 'Exit code 1 if this does not hold: p50=20ms, p99=200ms, p999=1s, throughput=1000/s, errors=1%. Repeatable.',
    },
    fix: { type: 'boolean', text: 'Proposes other options; with --json as a JSON Patch of the graph.' },
    cores: { type: 'string', value: 'N', text: 'Cores for --slo and --fix. Default: those that this process may use.' },
  },
  async run(call) {
    const graph = await loadGraph(call)
    const measurements = await loadMeasurements(call)
    const tolerance = numberOf(call.values, 'tolerance')
    const found = checkGraph(graph, {
      ...(measurements === undefined ? {} : { measurements }),
      ...(tolerance === undefined ? {} : { tolerance }),
    })
    const wanted = textsOf(call.values, 'slo').map(objectiveOf)
    const options = { measurements, cores: positiveOf(call.values, 'cores') ?? availableCores() }
    const sound = soundEntries(graph)
    const outcomes = objectives(sound, wanted, options)
    const fixes = call.values['fix'] === true ? proposals(sound, wanted, options) : undefined
    const code = outcomes.every(({ isKept }) => isKept) ? exitCode(found.problems, call.values) : 1
    if (call.values['json'] === true) {
      const asked = wanted.length === 0 ? {} : { slo: outcomes }
      const patch = fixes === undefined ? {} : { proposals: fixes, patch: patchOf(graph, fixes) }
      call.output.print(
        JSON.stringify({ graph: graph.name, ok: code === 0, ...found, ...asked, ...patch }, undefined, 2),
      )
      return code
    }
    const lines = [
      ...report(graph, found, call),
      ...(wanted.length === 0 ? [] : ['', ...objectiveLines(outcomes, call.output)]),
      ...(fixes === undefined ? [] : ['', ...proposalLines(graph, fixes, call.output)]),
      ...(fixes === undefined || fixes.length === 0
        ? []
        : thenLines(objectives(proposed(sound, fixes), wanted, { cores: options.cores }), call.output)),
    ]
    call.output.print(lines.join('\n').trimEnd())
    return code
  },
}

/** What objectives come to with what is proposed. */
function thenLines(outcomes: readonly ObjectiveOutcome[], output: Output): string[] {
  return outcomes.length === 0 ? [] : ['With that:', ...objectiveLines(outcomes, output)]
}

function report(graph: GraphData, found: Check, { output }: Call): string[] {
  const { problems, structure } = found
  const unhandled = structure.unhandledErrors
  return [
    ...problemLines(problems, output),
    ...loopLines(found, output),
    ...(unhandled.length === 0
      ? []
      : [`Failures at these nodes take no edge and are reported to the source: ${unhandled.map(cell).join(', ')}`, '']),
    `${style('bold', oneLine(graph.name), output)}: ${countOf(graph.nodes.length, 'node')}, ${countOf(graph.edges.length, 'edge')}, ${countText(problems)}`,
  ]
}

const MOST_LOOPS = 20

function loopLines({ deadlock, structure }: Check, output: Output): string[] {
  if (deadlock.loops.length === 0) return []
  const columns: Column[] = [
    { title: 'LOOP' },
    { title: 'MEANT' },
    { title: 'HOLDS', align: 'right' },
    { title: 'AT MOST IN IT', align: 'right' },
    { title: 'BLOCKS ITSELF' },
  ]
  const rows = deadlock.loops
    .slice(0, MOST_LOOPS)
    .map(({ cycle, reason, capacity, inFlight }) => [
      [...cycle.nodes, cycle.nodes[0] ?? ''].map(cell).join(' → '),
      cycle.intended ? 'yes' : 'no retry edge',
      numberText(capacity),
      numberText(inFlight),
      REASONS[reason],
    ])
  const more = structure.cycles.length - rows.length
  return [
    ...table(columns, rows, output),
    ...(more > 0 ? [`… and ${more}${structure.incomplete ? ' or more' : ''} others`] : []),
    '',
  ]
}

const REASONS: Readonly<Record<LoopVerdict['reason'], string>> = {
  fits: 'no: it holds all',
  sized: 'no: the plan makes it hold all',
  drops: 'no: it drops when full',
  unreached: 'no: nothing comes to it',
  tooSmall: 'may: it holds too little',
  multiplies: 'may: it multiplies records',
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
