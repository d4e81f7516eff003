import { access, constants } from 'node:fs/promises'
import { MillraceError } from '../../../errors.ts'
import type { Marked, SourceContext, SourceOptions } from '../../../graph/types.ts'
import { mark, Marked as MarkedRecord } from '../../../graph/types.ts'
import { CursorFile } from './cursor-file.ts'
import { fileRefusal } from './refusal.ts'

/** Records of a part of a file, and where the file goes on behind them. */
export interface FilePart {
  readonly records: Iterable<unknown>
  readonly cursor: unknown
}

/** Records that travel and are acked together: a file is acked by its watermark anyway. */
const CHUNK = 512

/**
 * The node options of a source that reads a file. The last record of each part has a cursor, at which a worker or, with a `cursorFile`,
 * a process goes on.
 * @param parts reads on from a cursor, until the end or until the signal is aborted
 */
export function fileSource<T>(
  { path, cursorFile }: { readonly path?: string; readonly cursorFile?: string },
  parts: (from: unknown, signal: AbortSignal) => AsyncIterable<FilePart>,
): SourceOptions<T, CursorFile> {
  const where = (node: string): { node: string; path?: string } => ({ node, ...(path === undefined ? {} : { path }) })
  return {
    chunk: CHUNK,
    setup: async ({ node, workers }) => {
      if (workers > 1) throw fileRefusal(new Error('one worker reads a file: concurrency is 1'), where(node))
      if (path !== undefined) await readable(path, node)
      return CursorFile.open(cursorFile, node)
    },
    produce: async function* ({ node, cursor, state, signal }: SourceContext<CursorFile>) {
      try {
        for await (const part of parts(cursor ?? state.cursor, signal)) {
          let last: unknown
          let isFirst = true
          for (const record of part.records) {
            if (!isFirst) yield last as T
            last = record
            isFirst = false
          }
          if (!isFirst) yield withCursor(last, part.cursor) as Marked<T>
          if (signal.aborted) return
        }
      } catch (cause) {
        throw cause instanceof MillraceError ? cause : fileRefusal(cause, where(node))
      }
    },
    ...(cursorFile === undefined
      ? {}
      : { ack: (_: unknown, __: unknown, { state, watermark }) => state.save(watermark) }),
  }
}

function withCursor(record: unknown, cursor: unknown): Marked<unknown> {
  if (record instanceof MarkedRecord) return mark<unknown>(record.value, { error: record.error, cursor })
  return mark(record, { cursor })
}

async function readable(path: string, node: string): Promise<void> {
  try {
    await access(path, constants.R_OK)
  } catch (cause) {
    throw fileRefusal(cause, { node, path })
  }
}
