import { check as checkGraph, type Check } from '../analysis/check.ts'
import type { LoopVerdict } from '../analysis/loops/verdict.ts'
import type { GraphData } from '../graph/types.ts'
import { numberText } from '../render/text.ts'
import { numberOf, type Call, type Command, type Output } from './command.ts'
import { GRAPH_OPTIONS, loadGraph, loadMeasurements } from './load-graph.ts'
import { countText, exitCode, problemLines } from './report.ts'
import { cell, table, type Column, oneLine } from './table.ts'
import { style } from './terminal-text.ts'

export const check: Command = {
  summary: 'Reports every problem of a graph, its loops, and whether they can block themselves.',
  usage: 'GRAPH [--strict] [--json] [--measurements FILE]',
  options: {
    ...GRAPH_OPTIONS,
    measurements: {
      type: 'string',
      value: 'FILE',
      text: 'Measurements in JSON: what the graph declares is held against them.',
    },
    tolerance: { type: 'string', value: 'SHARE', text: 'How far a declared figure may be off. Default: 0.1.' },
  },
  async run(call) {
    const graph = await loadGraph(call)
    const measurements = await loadMeasurements(call)
    const tolerance = numberOf(call.values, 'tolerance')
    const found = checkGraph(graph, {
      ...(measurements === undefined ? {} : { measurements }),
      ...(tolerance === undefined ? {} : { tolerance }),
    })
    const code = exitCode(found.problems, call.values)
    call.output.print(
      call.values['json'] === true
        ? JSON.stringify({ graph: graph.name, ok: code === 0, ...found }, undefined, 2)
        : report(graph, found, call).join('\n'),
    )
    return code
  },
}

function report(graph: GraphData, found: Check, { output }: Call): string[] {
  const { problems, structure } = found
  const unhandled = structure.unhandledErrors
  return [
    ...problemLines(problems, output),
    ...loopLines(found, output),
    ...(unhandled.length === 0
      ? []
      : [`Failures that no edge takes, so that they go back to the source: ${unhandled.map(cell).join(', ')}`, '']),
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
