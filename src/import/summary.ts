/** The end of an import, as one JSON object and as a table. */
import type { FileAccount, ImportResult } from './import-directory.ts'
import type { HeldBack, SchemaChange } from './records.ts'
import type { Snapshot } from '../telemetry/snapshot.ts'

export interface Summary {
  /** Of the run in the books; absent where the database could not be opened. */
  readonly run?: number
  readonly source: string
  readonly files: number
  /** Files that were imported; that are as their last import left them; that hold nothing to import; that failed or were not read. */
  readonly imported: number
  readonly unchanged: number
  readonly empty: number
  readonly failed: number
  /** Rows of the files that are in their tables, and what had to be done in the tables for them. */
  readonly rows: number
  readonly inserted: number
  readonly deleted: number
  readonly deadLetters: number
  /** Rows that were read are in their tables, or dead letters: no file has any that are missing. */
  readonly isBalanced: boolean
  readonly seconds: number
  /** Kinds that are paused: their files were left alone. */
  readonly pausedKinds: readonly string[]
  /** The server was slow to answer, and the import held back: the slowest that it was. */
  readonly heldBack?: HeldBack
  /** What stopped the import. */
  readonly failure?: string
  readonly isInterrupted?: boolean
  readonly schemaChanges: readonly SchemaChange[]
  readonly results: readonly FileSummary[]
  readonly stages: Readonly<Record<string, StageSummary>>
}

export interface FileSummary {
  readonly path: string
  readonly outcome: 'imported' | 'unchanged' | 'empty' | 'failed' | 'not read'
  readonly table?: string
  readonly rows: number
  readonly inserted: number
  readonly deleted: number
  readonly deadLetters: number
  /** Rows that were read, and are neither in the table nor dead letters. */
  readonly missing: number
  /** Why it failed. */
  readonly message?: string
  readonly remarks: readonly string[]
}

interface StageSummary {
  readonly in: number
  readonly out: number
  /** Shares of the time of the stage's workers, from 0 to 1. */
  readonly busy: number
  readonly starved: number
  readonly blocked: number
}

export function summarize({
  run,
  source,
  files,
  failure,
  isInterrupted,
  seconds,
  snapshot,
  pausedKinds = [],
  heldBack,
}: ImportResult): Summary {
  const results = files.map(fileSummary)
  const count = (...outcomes: FileSummary['outcome'][]): number =>
    results.filter(({ outcome }) => outcomes.includes(outcome)).length
  const sum = (of: 'rows' | 'inserted' | 'deleted' | 'deadLetters'): number =>
    results.reduce((total, each) => total + each[of], 0)
  return {
    ...(run === undefined ? {} : { run }),
    source,
    files: files.length,
    imported: count('imported'),
    unchanged: count('unchanged'),
    empty: count('empty'),
    failed: count('failed', 'not read'),
    rows: sum('rows'),
    inserted: sum('inserted'),
    deleted: sum('deleted'),
    deadLetters: sum('deadLetters'),
    isBalanced: results.every(({ missing }) => missing === 0),
    seconds: round(seconds),
    pausedKinds,
    ...(heldBack === undefined ? {} : { heldBack }),
    ...(failure === undefined ? {} : { failure }),
    ...(isInterrupted ? { isInterrupted } : {}),
    schemaChanges: files.flatMap(({ result }) => result?.changes ?? []),
    results,
    stages: stagesOf(snapshot),
  }
}

function fileSummary({ path, result }: FileAccount): FileSummary {
  if (result === undefined) {
    return { path, outcome: 'not read', rows: 0, inserted: 0, deleted: 0, deadLetters: 0, missing: 0, remarks: [] }
  }
  const { outcome, table, rows, inserted, deleted, deadLetters, missing, message, remarks } = result
  return {
    path,
    outcome: outcome === 'nothing' ? 'empty' : outcome,
    ...(table === undefined ? {} : { table }),
    rows,
    inserted,
    deleted,
    deadLetters,
    missing,
    ...(message === undefined ? {} : { message }),
    remarks,
  }
}

function stagesOf(snapshot: Snapshot | undefined): Summary['stages'] {
  return Object.fromEntries(
    Object.values(snapshot?.stages ?? {}).map(({ node, in: taken, out, busy, starved, blocked }) => [
      node,
      { in: taken, out, busy: round(busy), starved: round(starved), blocked: round(blocked) },
    ]),
  )
}

/** Exit codes: 0 all was imported, dead letters below their limit included; 1 not all was, or the books do not balance; 130 interrupted. */
export function exitCodeOf({ failed, failure, isInterrupted, isBalanced }: Summary): number {
  if (failure !== undefined) return 1
  if (isInterrupted === true) return 130
  return failed === 0 && isBalanced ? 0 : 1
}

/** The table's columns of figures, and the characters of a line that names cannot have. */
const FIGURES = new Set([2, 3, 4])
const FIGURE_CELLS = 2 + 'x,xxx,xxx'.length + 2 + 'x,xxx,xxx'.length + 2 + 'dead letters'.length + 2

/**
 * The table at the end: a line for each file, then what went wrong.
 * @param columns of the terminal: names that are too long for it are cut off
 */
export function summaryText(summary: Summary, columns = Infinity): string {
  const nameCells = Math.max(8, Math.floor((columns - FIGURE_CELLS) / 2))
  // What is as it was is many lines that say nothing.
  const told = summary.results.filter(({ outcome }) => outcome !== 'unchanged')
  const rows = told.map((each) => [
    cut(each.path, nameCells),
    cut(each.table ?? '', nameCells),
    count(each.rows),
    count(each.inserted),
    count(each.deadLetters),
    cut([...outcomeText(each), ...each.remarks].join('; '), Infinity),
  ])
  const total = ['', '', count(summary.rows), count(summary.inserted), count(summary.deadLetters), '']
  return [
    table([['file', 'table', 'rows', 'written', 'dead letters', ''], ...rows, total]),
    '',
    `${rowsOf(summary.rows)} of ${filesOf(summary.imported + summary.unchanged)} in ${summary.seconds} s: ${count(summary.inserted)} written, ${count(summary.deleted)} removed, ${count(summary.deadLetters)} dead-lettered.`,
    ...(summary.unchanged === 0 ? [] : [`As they were, and not read: ${filesOf(summary.unchanged)}.`]),
    ...(summary.pausedKinds.length === 0 ? [] : [`Paused, and left alone: ${summary.pausedKinds.join(', ')}.`]),
    ...(summary.heldBack === undefined
      ? []
      : [
          `The server was slow: it took up to ${Math.round(summary.heldBack.latencyMs)} ms to answer, and the import held back.`,
        ]),
    balanceText(summary),
    ...summary.schemaChanges.map(({ table, column, change }) => `Column ${table}.${column}: ${change}.`),
    ...complaints(summary),
  ].join('\n')
}

/** Rows of the files are those of the tables and the dead letters. */
function balanceText({ rows, deadLetters, isBalanced, results }: Summary): string {
  if (isBalanced)
    return `The books balance: ${count(rows + deadLetters)} read, ${count(rows)} in tables, ${count(deadLetters)} dead letters.`
  const files = results.filter((each) => each.missing !== 0).map(({ path, missing }) => `${path} (${count(missing)})`)
  return `THE BOOKS DO NOT BALANCE: rows were read, and are neither in their table nor dead letters: ${files.join(', ')}.`
}

function outcomeText({ outcome, message }: FileSummary): string[] {
  if (outcome === 'failed') return [`FAILED: ${message ?? ''}`]
  return outcome === 'not read' ? ['NOT IMPORTED'] : []
}

/** What did not go well, in sentences. */
function complaints({ failure, isInterrupted, failed }: Summary): string[] {
  return [
    ...(failure === undefined ? [] : [`The import failed: ${failure}`]),
    ...(isInterrupted === true ? ['The import was interrupted.'] : []),
    ...(failed === 0
      ? []
      : [`Not imported: ${filesOf(failed)}; their tables are as they were. Run the import again when this is mended.`]),
  ]
}

/** Columns as wide as their widest cell; those of figures to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => rows.reduce((most, row) => Math.max(most, row[i]!.length), 0))
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
