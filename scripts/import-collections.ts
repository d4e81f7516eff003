/**
 * Imports the CSV files of packages, and reads each with csv-parse: every cell of every table has to be what that reading says.
 * `node build/scripts/import-collections.js postgres://… node_modules/vega-datasets …`: a line of Markdown for each package; exit code 1 where
 * a cell differs.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { isUtf8 } from 'node:buffer'
import { gunzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { type FileSummary, importDirectory, summarize } from 'millrace/import'
import postgres from 'postgres'

const [to, ...packages] = process.argv.slice(2)
if (to === undefined || packages.length === 0) {
  console.error('usage: import-collections postgres://… FOLDER…')
  process.exit(2)
}
const sql = postgres(to, { max: 1, onnotice: () => undefined })
let differs = 0
/** Words for missing values, as the report tells them. */
const MISSING = new Set(['', 'NA', 'N/A', 'n/a', 'null', 'NULL', 'None', 'nil', '-', '.', '?', '#N/A', '\\N'])

async function compare(folder: string): Promise<void> {
  const source = `collection_${folder.replace(/^.*node_modules\//, '').replaceAll(/\W+/g, '_')}`
  const declared = { source, ignore: ['**/node_modules/**', '**.ndjson', '**.jsonl'] }
  const scratch = mkdtempSync(join(tmpdir(), 'millrace-collection-'))
  const summary = summarize(
    await importDirectory({ directory: folder, to: to!, files: 'all', declared, dataDirectory: scratch }),
  )
  rmSync(scratch, { recursive: true, force: true })
  if (summary.failure !== undefined) throw new Error(summary.failure)
  const totals = { cells: 0, bad: 0 }
  for (const file of summary.results) {
    const { cells, bad, first } = await compareFile(folder, file, source)
    totals.cells += cells
    totals.bad += bad
    if (bad > 0) console.error(`${file.path}: ${bad} cells differ; ${first}`)
    if (file.outcome !== 'imported')
      console.error(`${file.path}: ${file.outcome}, ${file.message ?? file.remarks.join('; ')}`)
  }
  differs += totals.bad
  const imported = `${summary.imported} of ${summary.files}`
  console.log(
    `| ${folder.replace(/^.*node_modules\//, '')} | ${imported} | ${count(summary.rows)} | ${count(summary.deadLetters)} | ${count(totals.cells)} | ${count(totals.bad)} |`,
  )
}

interface Compared {
  readonly cells: number
  readonly bad: number
  readonly first: string
}

/** Rows in their order: those of another width have to be dead letters, and all others rows of the table. */
async function compareFile(folder: string, file: FileSummary, source: string): Promise<Compared> {
  if (file.table === undefined) return { cells: 0, bad: 0, first: '' }
  const [header, ...records] = recordsOf(join(resolve(folder), file.path))
  const columns = await sql.unsafe<{ name: string; title: string; type: string | null; isRest: boolean }[]>(
    `select c.name, c.title, c.type, c.is_rest as "isRest" from millrace_imports.columns c join millrace_imports.files f on f.kind = c.kind
    join millrace_imports.sources s on s.id = f.source where s.name = '${source}' and f.path = $1 order by c.place`,
    [file.path],
  )
  const [schema, table] = file.table.split('.') as [string, string]
  const texts = columns.map(({ name, isRest }) => (isRest ? `_rest ->> '${name}'` : `"${name}"::text`))
  const rows = await sql.unsafe(
    `select ${texts.map((text, i) => `${text} as c${i}`).join()} from "${schema}"."${table}" order by _line`,
  )
  let [cells, bad, first] = [0, 0, '']
  const complain = (text: string): void => {
    if (bad++ === 0) first = text
  }
  for (const [i, { title }] of columns.entries())
    if (title !== header![i]) complain(`title ${i}: ${JSON.stringify(title)}, and not ${JSON.stringify(header![i])}`)
  const whole = records.filter((record) => record.length === header!.length)
  if (whole.length !== rows.length) complain(`${rows.length} rows, and not ${whole.length}`)
  if (records.length - whole.length !== file.deadLetters)
    complain(`${file.deadLetters} dead letters, and not ${records.length - whole.length}`)
  for (const [r, row] of rows.entries()) {
    for (const [i, { type, title }] of columns.entries()) {
      cells++
      const [held, given] = [row[`c${i}`] as string | null, whole[r]?.[i] ?? '']
      if (!isSame(type ?? 'text', held, given))
        complain(`row ${r + 1}, ${title}: ${JSON.stringify(held)}, and not ${JSON.stringify(given)} (${type})`)
    }
  }
  return { cells, bad, first }
}

function recordsOf(path: string): string[][] {
  const raw = readFileSync(path)
  const bytes = path.endsWith('.gz') ? gunzipSync(raw) : raw
  const text = isUtf8(bytes) ? bytes.toString() : new TextDecoder('windows-1252').decode(bytes)
  const [line = ''] = text.split(/[\r\n]/, 1)
  const often = [',', ';', '\t', '|'].map((delimiter) => ({ delimiter, times: line.split(delimiter).length }))
  const { delimiter } = often.reduce((most, each) => (each.times > most.times ? each : most))
  return parse(text, { bom: true, delimiter, relax_column_count: true, relax_quotes: true, skip_empty_lines: true })
}

/** A text has to be the same text; a value of another type the same value, by arithmetic that is none of the import's. */
function isSame(type: string, held: string | null, given: string): boolean {
  if (type === 'text') return (held ?? '') === given
  if (held === null) return MISSING.has(given)
  if (type === 'boolean') return held === given.toLowerCase()
  if (type === 'bigint') return held === given && BigInt(held).toString() === given
  if (type === 'double precision') return Object.is(Number(held), Number(given))
  if (type === 'numeric') return digitsOf(held) === digitsOf(given)
  return held === given || instantOf(held) === instantOf(given)
}

/** Without a zone it is that of Greenwich, in both readings. */
function instantOf(text: string): number {
  if (!/^\d{4}-/.test(text)) return Date.parse(`${text} UTC`)
  const time = text.replace(' ', 'T').replace(/(T.*[+-]\d\d)$/, '$1:00')
  return Date.parse(!time.includes('T') || /(?:Z|[+-]\d\d:\d\d)$/.test(time) ? time : `${time}Z`)
}

/** The digits of a decimal, and where its point is: zeros at the end count, an exponent is worked out. */
function digitsOf(text: string): string {
  const [, sign = '', whole = '', part = '', exponent = '0'] = /^(-?)(\d*)[.,]?(\d*)(?:[eE]([+-]?\d+))?$/.exec(
    text,
  ) ?? [undefined, text]
  const places = part.length - Number(exponent)
  const digits = (whole + part + '0'.repeat(Math.max(0, -places))).replace(/^0+(?=\d)/, '')
  return `${sign}${digits}e${-Math.max(0, places)}`
}

function count(value: number): string {
  return value.toLocaleString('en')
}

console.log(
  '| package | files | rows | dead letters | cells compared | cells that differ |\n|---|---:|---:|---:|---:|---:|',
)
for (const folder of packages) await compare(folder)
await sql.end()
process.exitCode = differs === 0 ? 0 : 1
