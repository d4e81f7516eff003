import { statSync } from 'node:fs'
import { errorText, MillraceError } from '../../errors.ts'
import { SegmentStore } from './segments/segment-store.ts'
import { PostgresStore } from './sql/postgres-store.ts'
import { SqliteStore } from './sql/sqlite-store.ts'
import type { TraceStore } from './store.ts'

/**
 * Opens the store at an address: `postgres://…`, a file (SQLite), or a folder (segments). What is to be read must be there.
 * @throws FILE_NOT_READ, TRACE_STORE_NOT_INSTALLED, TRACE_STORE_UNUSABLE
 */
export async function openStore(address: string): Promise<TraceStore> {
  if (/^postgres(?:ql)?:\/\//.test(address)) return PostgresStore.open(address)
  return isFolder(address) ? new SegmentStore(address) : SqliteStore.open(address)
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch (cause) {
    throw new MillraceError('FILE_NOT_READ', { file: path, reason: errorText(cause).message }, { cause })
  }
}
