import { realpath } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { Snapshot } from '../telemetry/snapshot.ts'
import { monotonicMs } from '../time.ts'
import { readDeclared } from './declared.ts'
import { lockEmbedded } from './embedded-lock.ts'
import { type UnenteredJob, importEntered } from './entered-import.ts'
import { type FoundFile, survey } from './job.ts'
import type { ImportOptions, Progress } from './options.ts'
import { ImportProblem, messageOf } from './problem.ts'
import type { FileResult, HeldBack } from './records.ts'

const CONNECTIONS = 4
const MAX_DEAD = 0.5
const LOCK_TIMEOUT_MS = 10_000
const LATENCY_MS = 200

/** How a file ended: as its result says, or it was not read. */
export interface FileAccount {
  readonly path: string
  readonly bytes: number
  readonly result: Omit<FileResult, 'file'> | undefined
}

/** How an import ended. */
export interface ImportResult {
  /** Its number in the books; absent where the database could not be opened. */
  readonly run?: number
  /** The name under which the database keeps what came from here. */
  readonly source: string
  readonly files: readonly FileAccount[]
  /** Of the last round; absent where no pipeline started. */
  readonly snapshot?: Snapshot
  readonly seconds: number
  /** It was asked to end before it had read everything. */
  readonly isInterrupted: boolean
  /** The slowest that the server was, if it was slow. */
  readonly heldBack?: HeldBack
  /** Kinds whose files were left alone. */
  readonly pausedKinds?: readonly string[]
  /** What stopped the import. Files that failed do not: they are in the account. */
  readonly failure?: string
  /** As declared. */
  readonly webhook?: string
}

/** Imports the files of a directory. @throws ImportProblem where it cannot begin; ImportBusy where another import of the source runs */
export async function importDirectory(options: ImportOptions): Promise<ImportResult> {
  const startedAt = monotonicMs()
  const directory = await realDirectory(options.directory)
  const declared = options.declared ?? readDeclared(directory)
  const maxDead = options.maxDead ?? declared.maxDead ?? MAX_DEAD
  const tell = (progress: Progress): void => options.onProgress?.(progress)
  const nothing = { bytes: 0, endedFiles: 0, loadedBytes: 0, rows: 0 }
  tell({ ...nothing, phase: 'looking', files: 0 })
  const { files, kinds } = await survey(directory, declared, maxDead, (files) =>
    tell({ ...nothing, phase: 'looking', files }),
  )
  if (files.length === 0) throw new ImportProblem(`The directory ${directory} holds no file to import.`)
  tell({ ...nothing, phase: 'opening', files: files.length })
  const embedded = resolve(options.dataDirectory ?? join('.millrace', 'import'))
  const unlock = options.to === undefined ? lockEmbedded(embedded) : () => undefined
  const name = options.source ?? declared.source
  const statementTimeoutMs = options.statementTimeoutMs ?? declared.limits?.statementTimeoutMs
  const rowsPerSecond = options.rowsPerSecond ?? declared.limits?.rowsPerSecond
  const usual = usualConnections(files)
  const connections = options.to === undefined ? 1 : (options.connections ?? declared.limits?.connections ?? usual)
  const job: UnenteredJob = {
    directory,
    source: { name: name ?? basename(directory), isGiven: name !== undefined },
    ...(declared.schema === undefined ? {} : { schema: declared.schema }),
    maxDead,
    lockTimeoutMs: options.lockTimeoutMs ?? LOCK_TIMEOUT_MS,
    ...(statementTimeoutMs === undefined ? {} : { statementTimeoutMs }),
    ...(rowsPerSecond === undefined ? {} : { rowsPerSecond }),
    ...(declared.limits?.perTenant === undefined ? {} : { tenantLimits: declared.limits.perTenant }),
    latencyMs: options.latencyMs ?? declared.limits?.latencyMs ?? LATENCY_MS,
    connections,
    kinds,
    ...(options.to === undefined ? { embedded: join(embedded, 'database') } : { url: options.to }),
  }
  try {
    const { results, left, ...ended } = await importEntered(job, files, options, tell)
    return {
      source: job.source.name,
      ...(declared.webhook === undefined ? {} : { webhook: declared.webhook }),
      ...ended,
      files: left
        .map(({ path, bytes }) => ({ path, bytes, result: results.get(path) }))
        .sort((a, b) => (a.path < b.path ? -1 : 1)),
      seconds: (monotonicMs() - startedAt) / 1000,
      isInterrupted: options.signal?.aborted === true,
    }
  } finally {
    unlock()
  }
}

/** A connection more pays where it has this much to do: a file costs beside its bytes. */
const BYTES_EACH = 8 * 1024 * 1024
const BYTES_OF_A_FILE = 64 * 1024

function usualConnections(files: readonly FoundFile[]): number {
  const bytes = files.reduce((sum, file) => sum + file.bytes + BYTES_OF_A_FILE, 0)
  return Math.min(CONNECTIONS, files.length + 1, 1 + Math.floor(bytes / BYTES_EACH))
}

async function realDirectory(directory: string): Promise<string> {
  const path = resolve(directory)
  try {
    return await realpath(path)
  } catch (error) {
    throw new ImportProblem(`The directory ${path} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}
