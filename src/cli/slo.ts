import {
  type Objective,
  OBJECTIVE_FIGURES,
  type ObjectiveFigure,
  type ObjectiveOutcome,
} from '../analysis/objectives.ts'
import type { OptionProposal } from '../analysis/proposals.ts'
import type { GraphData } from '../graph/types.ts'
import { durationText, numberText, percentText, rateText } from '../render/text.ts'
import { UsageError, type Output } from './command.ts'
import { cell, table } from './table.ts'
import { style } from './terminal-text.ts'

const UNITS: Readonly<Record<string, number>> = { us: 1e-3, ms: 1, s: 1_000, min: 60_000 }
const SHAPE = /^(?<figure>[a-z\d]+)=(?<number>\d+(?:\.\d+)?(?:e\d+)?)(?<unit>us|ms|s|min|%|\/s)?$/

/** `p99=200ms`, `throughput=1000/s`, `errors=1%`. @throws UsageError */
export function objectiveOf(text: string): Objective {
  const { figure, number, unit } = SHAPE.exec(text)?.groups ?? {}
  const known = OBJECTIVE_FIGURES.find((each) => each === figure)
  const bound = known === undefined ? undefined : boundOf(known, Number(number), unit)
  if (known === undefined || bound === undefined) {
    throw new UsageError(
      `--slo takes p50=20ms, p99=200ms, p999=1s, throughput=1000/s or errors=1%, not ${JSON.stringify(text)}.`,
    )
  }
  return { figure: known, bound }
}

function boundOf(figure: ObjectiveFigure, number: number, unit: string | undefined): number | undefined {
  if (figure === 'throughput') return unit === undefined || unit === '/s' ? number : undefined
  if (figure === 'errors') return unit === '%' ? number / 100 : unit === undefined ? number : undefined
  return unit === undefined ? undefined : UNITS[unit] === undefined ? undefined : number * UNITS[unit]
}

/** One line each: what was wanted, and what it comes to. */
export function objectiveLines(outcomes: readonly ObjectiveOutcome[], output: Output): string[] {
  const lines = outcomes.map(({ figure, bound, value, isKept, path }) => {
    const text = (amount: number): string =>
      figure === 'throughput' ? rateText(amount) : figure === 'errors' ? percentText(amount) : durationText(amount)
    const way = path === undefined || isKept ? '' : ` by ${path.map(cell).join(' → ')}`
    const said = value === undefined ? 'nothing says it: give --measurements' : `${text(value)}${way}`
    const mark = isKept ? style('green', 'kept  ', output) : style('red', 'missed', output)
    return `${mark}  ${figure} ${figure === 'throughput' ? '≥' : '≤'} ${text(bound)}: ${said}`
  })
  return lines.length === 0 ? [] : [...lines, '']
}

/** What is proposed, as a table. */
export function proposalLines(graph: GraphData, found: readonly OptionProposal[], output: Output): string[] {
  if (found.length === 0) return ['Nothing to propose.', '']
  const columns = ['WHERE', 'OPTION', 'NOW', 'PROPOSED', 'WHY'].map((title) => ({ title }))
  const rows = found.map(({ node, edge, option, before, after, why }) => {
    const ends = edge === undefined ? undefined : graph.edges[edge]
    const where = ends === undefined ? cell(node ?? '') : `${cell(ends.from)} → ${cell(ends.to)}`
    return [where, option, before === undefined ? 'default' : numberText(before), numberText(after), why]
  })
  return [...table(columns, rows, output), '']
}

/** The same as a JSON Patch (RFC 6902) of the graph in JSON. */
export function patchOf({ nodes }: GraphData, found: readonly OptionProposal[]): readonly object[] {
  return found.map(({ node, edge, option, after }) => {
    const place = edge === undefined ? `nodes/${nodes.findIndex(({ id }) => id === node)}` : `edges/${edge}`
    return { op: 'add', path: `/${place}/${option}`, value: after }
  })
}
