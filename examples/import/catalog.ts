/** What is to be imported: every CSV file of a directory with its table and its columns, inferred from the file's head. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { messageOf } from './database.js'
import { parseBlock } from './parse.js'
import { type Column, inferType } from './schema.js'
import { isBlank, bomBytes, lastRowEnd, lineEnd, rowEnd } from './scan.js'
import { tableName, uniqueNames } from './names.js'

/** Bytes at the head of a file that its columns are inferred from. */
const SAMPLE_BYTES = 256 * 1024
/** Those of the key, and those that every table of PostgreSQL has already. */
const TAKEN_COLUMNS = ['source_file', 'source_line', 'tableoid', 'ctid', 'xmin', 'xmax', 'cmin', 'cmax']
/** PostgreSQL's limit, less the two columns of the key. */
const MAX_COLUMNS = 1_598

export interface FileEntry {
  readonly file: string
  readonly table: string
  readonly bytes: number
  /** The header as the file has it; what is read later must begin with it. */
  readonly header: string
  readonly columns: readonly Column[]
  /** What is worth telling of the file. */
  readonly remarks: readonly string[]
  /** Why there is nothing to import. `isFault`: there is something, and it cannot be read. */
  readonly nothing?: { readonly reason: string; readonly isFault: boolean }
}

/** The catalog as workers read it: plain data in a file that `MILLRACE_IMPORT_CATALOG` names. */
export interface CatalogData {
  readonly directory: string
  /** Where the embedded database lies, and what it would not take. */
  readonly dataDirectory: string
  readonly files: readonly FileEntry[]
}

/** The files of a catalog by their names. */
export class Catalog {
  readonly directory: string
  readonly dataDirectory: string
  readonly files: readonly FileEntry[]
  readonly #entries: ReadonlyMap<string, FileEntry>

  constructor({ directory, dataDirectory, files }: CatalogData) {
    this.directory = directory
    this.dataDirectory = dataDirectory
    this.files = files
    this.#entries = new Map(files.map((entry) => [entry.file, entry]))
  }

  entry(file: string): FileEntry {
    return this.#entries.get(file)!
  }

  path(file: string): string {
    return join(this.directory, file)
  }
}

/** Stores a catalog where the workers of this process find it. */
export function publishCatalog(data: CatalogData): Catalog {
  const path = resolve(data.dataDirectory, 'catalog.json')
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify(data, undefined, 2)}\n`)
  process.env['MILLRACE_IMPORT_CATALOG'] = path
  return new Catalog(data)
}

/** The catalog of this process; the `setup` of the stages that need one. */
export function readCatalog(): Catalog {
  return new Catalog(JSON.parse(readFileSync(process.env['MILLRACE_IMPORT_CATALOG']!, 'utf8')) as CatalogData)
}

/** Looks at the CSV files of a directory, without reading further than their heads. @throws what `readdir` throws */
export async function survey(directory: string): Promise<FileEntry[]> {
  const found = await readdir(directory, { withFileTypes: true })
  const files = found
    .filter((each) => !each.isDirectory() && /\.csv$/i.test(each.name))
    .map(({ name }) => name)
    .toSorted()
  const tables = uniqueNames(files.map(tableName), ['dead_letters'])
  return Promise.all(files.map((file, i) => surveyFile(join(directory, file), file, tables[i]!)))
}

async function surveyFile(path: string, file: string, table: string): Promise<FileEntry> {
  const nothing = { file, table, bytes: 0, header: '', columns: [], remarks: [] }
  try {
    const { sample, bytes } = await readHead(path)
    const found = describe(sample, bytes <= sample.length)
    return 'header' in found ? { file, table, bytes, ...found } : { ...nothing, bytes, nothing: found }
  } catch (error) {
    return { ...nothing, nothing: { reason: messageOf(error), isFault: true } }
  }
}

async function readHead(path: string): Promise<{ sample: Uint8Array; bytes: number }> {
  // Opening a pipe would wait for a writer.
  if (!(await stat(path)).isFile()) throw new Error('not a regular file')
  await using handle = await open(path)
  const { size } = await handle.stat()
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(SAMPLE_BYTES), 0, SAMPLE_BYTES, 0)
  return { sample: buffer.subarray(0, bytesRead), bytes: size }
}

type Description = Pick<FileEntry, 'header' | 'columns' | 'remarks'>

function describe(sample: Uint8Array, isWhole: boolean): Description | NonNullable<FileEntry['nothing']> {
  const bom = bomBytes(sample)
  const bytes = sample.subarray(bom)
  const start = firstRow(bytes)
  if (isWhole && start === bytes.length) return { reason: 'empty file', isFault: false }
  if (bytes.includes(0)) return fault('binary file, or not UTF-8')
  if (bytes.includes(0x0d) && !bytes.includes(0x0a)) return fault('line breaks are CR alone')
  const end = rowEnd(bytes, start)
  if (end === -1 && !isWhole) return fault('its header does not end')
  const headerEnd = end === -1 ? bytes.length : end
  const [header] = cellsOf(bytes.subarray(0, headerEnd))
  if (header === undefined) return fault('its header is not CSV, or not UTF-8')
  if (header.length > MAX_COLUMNS) return fault(`${header.length} columns, and a table holds ${MAX_COLUMNS}`)
  const rest = bytes.subarray(headerEnd)
  const rows = cellsOf(isWhole ? rest : rest.subarray(0, lastRowEnd(rest) || lineEnd(rest, 0)))
  const remarks = [
    ...(bom > 0 ? ['byte order mark'] : []),
    ...(rows.length === 0 && isWhole ? ['header alone'] : []),
    ...repeated(header).map((title) => (title === '' ? 'unnamed columns' : `duplicate column ${shown(title)}`)),
  ]
  return { header: Buffer.from(bytes.subarray(0, headerEnd)).toString(), columns: columnsOf(header, rows), remarks }
}

/** Empty lines may come before the header. */
function firstRow(bytes: Uint8Array): number {
  let start = 0
  for (let end = lineEnd(bytes, 0); start < bytes.length && isBlank(bytes, start, end); end = lineEnd(bytes, start)) {
    start = end
  }
  return start
}

function fault(reason: string): NonNullable<FileEntry['nothing']> {
  return { reason, isFault: true }
}

/** Rows of the sample that are whole; broken ones say nothing about types. */
function cellsOf(bytes: Uint8Array): (readonly string[])[] {
  const rows = parseBlock({ file: '', line: 1, bytes }, { emit: () => undefined })
  return rows.flatMap((row) => (row.kind === 'text' ? [row.cells] : []))
}

function columnsOf(header: readonly string[], rows: readonly (readonly string[])[]): Column[] {
  const whole = rows.filter(({ length }) => length === header.length)
  const names = uniqueNames(
    header.map((title, i) => tableName(title) || `column_${i + 1}`),
    TAKEN_COLUMNS,
  )
  return header.map((title, i) => ({ name: names[i]!, title, type: inferType(whole.map((cells) => cells[i]!)) }))
}

function shown(title: string): string {
  return JSON.stringify(title.length > 40 ? `${title.slice(0, 40)}…` : title)
}

function repeated(header: readonly string[]): string[] {
  return [...new Set(header.filter((title, i) => header.indexOf(title) !== i))]
}
