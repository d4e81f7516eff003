import { gzipSync } from 'node:zlib'
import type { Context, SetupContext, SinkBatchOptions } from '../../../graph/types.ts'
import { untilConfirmed } from '../backoff.ts'
import { type BatchWriter, writerSink } from '../sink.ts'
import { AppendedFile } from './appended.ts'
import { fileRefusal } from './refusal.ts'

/** Options of a sink that writes a file, with their defaults. */
interface FileSinkOptions {
  readonly path: string
  readonly mode: string
}

/** What a sink writes of its records. */
export interface RowWriter {
  /** The text of one record. @throws where it has none */
  rowOf(record: Readonly<Record<string, unknown>>): string
  /** The text at the beginning of a file, of its first record. */
  headerOf?(record: Readonly<Record<string, unknown>>): string
}

const BATCH = { size: 1_000, timeoutMs: 50 }
/** The disk is full for now. */
const FULL: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT'])
const WORKER = '{worker}'

/** One worker's file: a batch of records is one write. */
class FileWriter implements BatchWriter {
  readonly #file: AppendedFile
  readonly #name: string
  readonly #rows: RowWriter

  constructor(file: AppendedFile, name: string, rows: RowWriter) {
    this.#file = file
    this.#name = name
    this.#rows = rows
  }

  /** A record that has no row fails alone. Where the disk is full, records wait. */
  async write(
    records: readonly Readonly<Record<string, unknown>>[],
    { batch, fail, signal }: Pick<Context, 'batch' | 'fail' | 'signal'>,
  ): Promise<void> {
    let first = -1
    let text = ''
    for (const [index, record] of records.entries()) {
      try {
        text += this.#rows.rowOf(record)
        if (first < 0) first = index
      } catch (error) {
        fail(record, error)
      }
    }
    if (first < 0) return
    const id = batch!.idAt(first)!
    await this.#file.cut(id)
    if (this.#file.isEmpty) text = (this.#rows.headerOf?.(records[first]!) ?? '') + text
    const bytes = this.#name.endsWith('.gz') ? gzipSync(text) : Buffer.from(text)
    await untilConfirmed(() => this.#file.append(bytes, id), isFull, signal)
  }

  close(): Promise<void> {
    return this.#file.close(this.#name)
  }
}

/** The node options of a sink that writes a file. */
export function fileSink<T>(options: FileSinkOptions, rows: RowWriter): SinkBatchOptions<T, BatchWriter> {
  return writerSink(BATCH, (context) => openWriter(options, rows, context))
}

async function openWriter(
  { path, mode }: FileSinkOptions,
  rows: RowWriter,
  context: SetupContext,
): Promise<FileWriter> {
  const { node, worker, workers, epoch } = context
  if (workers > 1 && !path.includes(WORKER))
    throw fileRefusal(new Error(`one worker writes a file: put ${WORKER} into the path, or concurrency is 1`), {
      node,
      path,
    })
  const name = path.replaceAll(WORKER, String(worker))
  try {
    const file =
      mode === 'append' ? await AppendedFile.open(name, false) : await AppendedFile.open(`${name}.part`, epoch === 0)
    return new FileWriter(file, name, rows)
  } catch (cause) {
    throw fileRefusal(cause, { node, path: name })
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && FULL.has(Reflect.get(error, 'code'))
}
