import { existsSync, mkdirSync, statSync } from 'node:fs'
import { errorText, MillraceError } from '../../errors.ts'
import { isRecording, Recording } from './recording.ts'
import { SegmentStore } from './segments/segment-store.ts'
import { PostgresStore } from './sql/postgres-store.ts'
import { SqliteStore } from './sql/sqlite-store.ts'
import type { TraceStore } from './store.ts'

/**
 * Opens the store at an address: `postgres://…`, a file (SQLite, or a recording), or a folder (segments). What is to be read must be there.
 * @throws FILE_NOT_READ, TRACE_STORE_NOT_INSTALLED, TRACE_STORE_UNUSABLE
 */
export async function openStore(address: string): Promise<TraceStore> {
  if (/^postgres(?:ql)?:\/\//.test(address)) return PostgresStore.open(address)
  if (isFolder(address)) return new SegmentStore(address)
  return (await isRecording(address)) ? Recording.open(address) : SqliteStore.open(address)
}

/**
 * The same for a run that is to be kept: what does not exist yet is made, as a SQLite file where it is named as one.
 * @throws TRACE_STORE_NOT_INSTALLED, TRACE_STORE_UNUSABLE
 */
export async function makeStore(address: string): Promise<TraceStore> {
  if (/^postgres(?:ql)?:\/\//.test(address) || existsSync(address)) return openStore(address)
  if (/\.(?:db|sqlite3?)$/.test(address)) return SqliteStore.open(address)
  try {
    mkdirSync(address, { recursive: true })
  } catch (cause) {
    throw new MillraceError('TRACE_STORE_UNUSABLE', { store: address, reason: errorText(cause).message }, { cause })
  }
  return new SegmentStore(address)
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch (cause) {
    throw new MillraceError('FILE_NOT_READ', { file: path, reason: errorText(cause).message }, { cause })
  }
}
