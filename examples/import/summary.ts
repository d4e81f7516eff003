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
  return `${count(read)} rows were read, and ${count(ended)} were written or dead-lettered. Run the import again: no row is written twice`
}

function stageSummary({ in: taken, out, busy, starved, blocked }: StageSnapshot): StageSummary {
  return { in: taken, out, busy: round(busy), starved: round(starved), blocked: round(blocked) }
}

function whyIncomplete({ isWhole, problem, read, unwritten }: FileAccount): string | undefined {
  if (problem !== undefined) return problem
  if (!isWhole) return read === 0 ? 'not read' : 'not read to its end'
  return unwritten > 0 ? 'not all of its rows could be written' : undefined
}

/** The table at the end: a line for each file, then what went wrong, and what to do. */
export function summaryText({ account, ...result }: ImportResult): string {
  const summary = summarize({ account, ...result })
  const rows = account.files.map((each) => [
    each.file,
    each.table,
    count(each.written),
    count(each.deadLettered + each.unwritten),
    [whyIncomplete(each), ...each.remarks].filter((remark) => remark !== undefined).join('; '),
  ])
  const total = ['', '', count(summary.rowsWritten), count(summary.rowsDeadLettered), '']
  return [
    table([['file', 'table', 'written', 'dead letters', ''], ...rows, total]),
    '',
    `${count(summary.rowsRead)} rows of ${summary.files} files in ${summary.seconds} s: ${count(summary.rowsWritten)} written, ${count(summary.rowsDeadLettered)} dead-lettered.`,
    ...complaints(summary),
  ].join('\n')
}

/** What did not go well, in sentences. */
function complaints({ failure, isInterrupted, unwritten, incomplete }: Summary): string[] {
  return [
    ...(failure === undefined ? [] : [`The import failed: ${failure}`]),
    ...(isInterrupted === true ? ['The import was interrupted; what had been read was written.'] : []),
    ...(unwritten === undefined
      ? []
      : [`${count(unwritten.rows)} rows were not written; ${unwritten.path} keeps them.`]),
    ...(incomplete === undefined
      ? []
      : [
          `${incomplete.length} files were not imported whole. Run the import again when this is mended: no row is written twice.`,
        ]),
  ]
}

/** Columns as wide as their widest cell; those of figures to the right. */
export function table(rows: readonly (readonly string[])[], rightFrom = 2, rightTo = 4): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i >= rightFrom && i < rightTo ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
  return rows.map((row) => line(row).trimEnd()).join('\n')
}

function count(rows: number): string {
  return rows.toLocaleString('en')
}

function round(figure: number): number {
  return Math.round(figure * 1000) / 1000
}
