/** The end of an import, as one JSON line and as a table. */
import type { Snapshot } from 'millrace'
import type { FileAccount } from './account.js'
import type { ImportResult } from './import-directory.js'

export interface Summary {
  readonly files: number
  /** As `parse` counted them. Anything but `rowsWritten + rowsDeadLettered` is a failure. */
  readonly rowsRead: number
  readonly rowsWritten: number
  readonly rowsDeadLettered: number
  readonly seconds: number
  readonly stages: Readonly<Record<string, StageSummary>>
  /** What stopped the import. */
  readonly failure?: string
  readonly isInterrupted?: boolean
  /** Of the dead letters: rows that the database would not take, and the file that keeps them. */
  readonly unwritten?: { readonly rows: number; readonly path: string }
  /** Files that were not imported whole, and why. */
  readonly incomplete?: readonly { readonly file: string; readonly reason: string; readonly rowsWritten: number }[]
}

const AGAIN = 'Run the import again when this is mended: no row is written twice.'
/** The table's columns of figures, and the characters of a line that names cannot have. */
const FIGURES = new Set([2, 3])
const FIGURE_CELLS = 2 + 'x,xxx,xxx'.length + 2 + 'dead letters'.length + 2

type StageSnapshot = Snapshot['stages'][string]

interface StageSummary {
  readonly in: number
  readonly out: number
  /** Shares of the time of the stage's workers, from 0 to 1. */
  readonly busy: number
  readonly starved: number
  readonly blocked: number
}

export function summarize({
  account,
  failure,
  isInterrupted,
  unwrittenPath,
  seconds,
  snapshot,
}: ImportResult): Summary {
  const rowsRead = account.sum('read')
  const rowsWritten = account.sum('written')
  const rowsDeadLettered = account.sum('deadLettered') + account.sum('unwritten')
  const incomplete = account.files.flatMap((each) => {
    const reason = whyIncomplete(each)
    return reason === undefined ? [] : [{ file: each.file, reason, rowsWritten: each.written }]
  })
  const problem = [failure, imbalance(rowsRead, rowsWritten, rowsDeadLettered)].filter((each) => each !== undefined)
  return {
    files: account.files.length,
    rowsRead,
    rowsWritten,
    rowsDeadLettered,
    seconds: round(seconds),
    stages: Object.fromEntries(Object.values(snapshot?.stages ?? {}).map((stage) => [stage.node, stageSummary(stage)])),
    ...(problem.length === 0 ? {} : { failure: problem.join('; ') }),
    ...(isInterrupted ? { isInterrupted } : {}),
    ...(unwrittenPath === undefined ? {} : { unwritten: { rows: account.sum('unwritten'), path: unwrittenPath } }),
    ...(incomplete.length === 0 ? {} : { incomplete }),
  }
}

/** What is wrong where rows that were read are not those that came to an end. */
function imbalance(read: number, written: number, deadLettered: number): string | undefined {
  const ended = written + deadLettered
  if (read === ended) return undefined
  return `${rowsOf(read)} read, and ${count(ended)} written or dead-lettered. Run the import again: no row is written twice`
}

function stageSummary({ in: taken, out, busy, starved, blocked }: StageSnapshot): StageSummary {
  return { in: taken, out, busy: round(busy), starved: round(starved), blocked: round(blocked) }
}

function whyIncomplete({ isWhole, problem, read, unwritten, refusal }: FileAccount): string | undefined {
  if (problem !== undefined) return problem
  if (!isWhole) return read === 0 ? 'not read' : 'not read to its end'
  return unwritten > 0 ? `${rowsOf(unwritten)} not written: ${refusal}` : undefined
}

/**
 * The table at the end: a line for each file, then what went wrong, and what to do.
 * @param columns of the terminal: names that are too long for it are cut off
 */
export function summaryText({ account, ...result }: ImportResult, columns = Infinity): string {
  const summary = summarize({ account, ...result })
  const nameCells = Math.max(8, Math.floor((columns - FIGURE_CELLS) / 2))
  const rows = account.files.map((each) => [
    cut(each.file, nameCells),
    cut(each.table, nameCells),
    count(each.written),
    count(each.deadLettered + each.unwritten),
    [whyIncomplete(each), ...each.remarks].filter((remark) => remark !== undefined).join('; '),
  ])
  const total = ['', '', count(summary.rowsWritten), count(summary.rowsDeadLettered), '']
  return [
    table([['file', 'table', 'written', 'dead letters', ''], ...rows, total]),
    '',
    `${rowsOf(summary.rowsRead)} of ${filesOf(summary.files)} in ${summary.seconds} s: ${count(summary.rowsWritten)} written, ${count(summary.rowsDeadLettered)} dead-lettered.`,
    ...complaints(summary),
  ].join('\n')
}

/** What did not go well, in sentences. */
function complaints({ failure, isInterrupted, unwritten, incomplete }: Summary): string[] {
  return [
    ...(failure === undefined ? [] : [`The import failed: ${failure}`]),
    ...(isInterrupted === true ? ['The import was interrupted; what had been read was written.'] : []),
    ...(unwritten === undefined ? [] : [`Not written: ${rowsOf(unwritten.rows)}; ${unwritten.path} keeps them.`]),
    ...(incomplete === undefined ? [] : [`Not imported whole: ${filesOf(incomplete.length)}. ${AGAIN}`]),
  ]
}

/** Columns as wide as their widest cell; those of figures to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (FIGURES.has(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join('  ')
  return rows.map((row) => line(row).trimEnd()).join('\n')
}

/** A name on one line of so many characters: a file's name may hold line breaks. */
function cut(name: string, cells: number): string {
  const line = name.replace(/\p{Cc}/gu, '\u{fffd}')
  return line.length <= cells ? line : `${line.slice(0, cells - 1)}…`
}

function count(rows: number): string {
  return rows.toLocaleString('en')
}

function rowsOf(rows: number): string {
  return `${count(rows)} ${rows === 1 ? 'row' : 'rows'}`
}

function filesOf(files: number): string {
  return `${count(files)} ${files === 1 ? 'file' : 'files'}`
}

function round(figure: number): number {
  return Math.round(figure * 1000) / 1000
}
