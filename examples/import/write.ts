import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Context, Failure } from 'millrace'
import { type Catalog, readCatalog } from './catalog.js'
import { type Database, isAway, messageOf, openDatabase } from './database.js'
import type { DeadLetter, Note, Row } from './records.js'
import { prepareTables, writeLetters, writeRows } from './tables.js'

/** Calls for one batch, before the database is given up. With the delays of the graph, that takes about ten seconds. */
export const WRITE_ATTEMPTS = 7

type Written = Row | DeadLetter

/** The state of the `postgres` worker: its one connection. */
export interface Target {
  readonly catalog: Catalog
  readonly database: Database
  /** Files whose tables the database would not make, and why: all of their rows are refused. */
  readonly refusals: ReadonlyMap<string, Error>
  /** The database stayed away at every attempt: what else is in flight need not wait for it as long again. */
  hasGivenUp: boolean
}

export async function openTarget(): Promise<Target> {
  const catalog = readCatalog()
  const database = await openDatabase(process.env['DATABASE_URL'], join(catalog.dataDirectory, 'database'))
  const refusals = await prepareTables(database, catalog.files)
  return { catalog, database, refusals, hasGivenUp: false }
}

/** Batches hold rows of one file, or dead letters of one file. */
export function batchKey({ kind, file }: Written): string {
  return `${kind} ${file}`
}

/** The handler of `postgres`. A database that is away fails the batch, which is tried again; a row that is refused fails alone. */
export async function writeBatch(records: Written[], { state, attempt, emit, fail }: Context<Target>): Promise<void> {
  if (state.hasGivenUp) throw new DatabaseGone('the database stayed away')
  const refusal = state.refusals.get(records[0]!.file)
  if (refusal !== undefined) throw refusal
  try {
    await write(state, records)
    emit('note', noteOf(records))
  } catch (error) {
    if (isAway(error)) {
      state.hasGivenUp = attempt >= WRITE_ATTEMPTS
      throw error
    }
    const written: Written[] = []
    for (const record of records) {
      try {
        await write(state, [record])
        written.push(record)
      } catch (error) {
        if (isAway(error)) throw error
        fail(record, error)
      }
    }
    if (written.length > 0) emit('note', noteOf(written))
  }
}

/** Whether a batch or row is worth another attempt. */
export function isWorthRetry(error: unknown): boolean {
  return isAway(error)
}

class DatabaseGone extends Error {
  override readonly name = 'DatabaseGone'
}

async function write({ catalog, database }: Target, records: readonly Written[]): Promise<void> {
  const entry = catalog.entry(records[0]!.file)
  const rows = records.filter((record) => record.kind === 'row')
  const letters = records.filter((record) => record.kind === 'letter')
  if (rows.length > 0) await writeRows(database, entry, rows)
  if (letters.length > 0) await writeLetters(database, entry, letters)
}

function noteOf(records: readonly Written[]): Note {
  const [{ file, kind }] = records as [Written]
  return kind === 'row' ? { file, written: records.length } : { file, deadLettered: records.length }
}

/** The handler of `unwritten`: rows of one file that the database would not take, kept in a file, a JSON object a line. */
export function keepUnwritten(failures: Failure<Written>[], { state, emit }: Context<Catalog>): void {
  const lines = failures.map(({ input, error }) => `${JSON.stringify({ ...input, refusal: messageOf(error) })}\n`)
  appendFileSync(unwrittenPath(state), lines.join(''))
  const [{ input, error }] = failures as [Failure<Written>]
  const gone = failures.find(({ error }) => isAway(error) || error.name === 'DatabaseGone')
  const unwritten = { rows: failures.length, reason: messageOf(gone?.error ?? error), isAway: gone !== undefined }
  emit('note', { file: input.file, unwritten } satisfies Note)
}

export function unwrittenPath({ dataDirectory }: Catalog): string {
  return join(dataDirectory, 'unwritten.jsonl')
}
