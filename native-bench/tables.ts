import type { Machine } from './machine.ts'
import type { SuiteRun } from './saved.ts'
import type { Result } from './suite.ts'

/** Three digits that count, grouped: 12,300,000 or 0.0412. */
export function figure(value: number): string {
  if (value === 0) return '0'
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  const scale = 10 ** Math.max(0, Math.floor(Math.log10(Math.abs(value))) - 2)
  const rounded = scale > 1 ? Math.round(value / scale) * scale : value
  return rounded.toLocaleString('en-US', { maximumFractionDigits: Math.min(digits, 6), minimumFractionDigits: 0 })
}

export function machineLine({ cpu, cores, memoryGb, system, node, compiler, commit, date, load }: Machine): string {
  return `${cpu}, ${cores} cores, ${memoryGb} GB; ${system}; Node ${node}; ${compiler}; commit ${commit}; ${date}; load ${load}`
}

/** A suite's rows for a terminal. */
export function textTable({ results, ratios }: SuiteRun): string {
  const rows = results.map(({ name, unit, median, min, max, note }) => [
    name,
    median === null ? `(${note})` : figure(median),
    min === null ? '' : figure(min),
    max === null ? '' : figure(max),
    median === null ? '' : unit,
  ])
  const lines = align([['', 'median', 'min', 'max', ''], ...rows])
  const told = Object.entries(ratios).map(([key, value]) => `  ${key} ${value === null ? '–' : figure(value)}`)
  return [...lines, ...(told.length > 0 ? ['  ratios, median of the rounds:', ...told] : [])].join('\n')
}

function align(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 || column === 4 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  )
}

/** Saved runs as Markdown: a table of rows and one of ratios for each suite, with the machine. */
export function markdown(runs: readonly SuiteRun[]): string {
  return runs
    .map(({ suite, machine, results, ratios }) => {
      const rows = results.map((result) => `| ${result.name} | ${median(result)} | ${span(result)} | ${result.unit} |`)
      const told = Object.entries(ratios).map(
        ([key, value]) => `| \`${key}\` | ${value === null ? '–' : figure(value)} |`,
      )
      return [
        `### ${suite}`,
        '',
        '| | Median | Min to max | |',
        '|---|---:|---:|---|',
        ...rows,
        '',
        ...(told.length > 0 ? ['| Ratio | |', '|---|---:|', ...told, ''] : []),
        `${machineLine(machine)}.`,
      ].join('\n')
    })
    .join('\n\n')
}

function median({ median, note }: Result): string {
  return median === null ? note! : figure(median)
}

function span({ min, max }: Result): string {
  return min === null || max === null ? '' : `${figure(min)} to ${figure(max)}`
}

/** Two runs of a suite side by side; a row is marked where the ranges of its rounds do not meet. */
export function comparison(now: SuiteRun, before: SuiteRun | undefined): string {
  if (before === undefined) return `  nothing saved of suite ${now.suite}`
  const rows = now.results.flatMap((row) => {
    const old = before.results.find(({ name, unit }) => name === row.name && unit === row.unit)
    if (row.median === null || old === undefined || old.median === null) return []
    const isApart = row.min! > old.max! || row.max! < old.min!
    return [[row.name, figure(row.median), figure(old.median), figure(row.median / old.median), isApart ? 'apart' : '']]
  })
  const ratios = Object.entries(now.ratios).flatMap(([key, value]) => {
    const old = before.ratios[key]
    if (value === null || old === null || old === undefined) return []
    return [[key, figure(value), figure(old), figure(value / old), '']]
  })
  return align([['', 'now', 'saved', 'now ÷ saved', ''], ...rows, ...ratios]).join('\n')
}
