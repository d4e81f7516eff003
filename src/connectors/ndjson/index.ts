/** Files of JSON, a value on each line, as a source and as a sink: entry point `millrace/ndjson`. */
import type { SinkBatchOptions, SourceOptions } from '../../graph/types.ts'
import { type Given, NDJSON_SINK_OPTIONS, NDJSON_SOURCE_OPTIONS, type WithoutHandlers } from '../../options/index.ts'
import { checked } from '../core/checked.ts'
import { blocksOf, type OpenBytes, openFile } from '../core/file/blocks.ts'
import type { CursorFile } from '../core/file/cursor-file.ts'
import { fileSink } from '../core/file/file-sink.ts'
import { type FilePart, fileSource } from '../core/file/file-source.ts'
import { endOfLines, recordsOfLines } from '../core/file/lines.ts'
import type { BatchWriter } from '../core/sink.ts'

/** Options of `ndjsonSource`; `path` or `open` is given. */
export interface NdjsonSourceOptions<T = unknown> extends Given<WithoutHandlers<typeof NDJSON_SOURCE_OPTIONS>> {
  /** Gives the bytes from an offset on, where they do not come from a file. */
  readonly open?: OpenBytes
  /** Makes a record of a line. Default: it is JSON. */
  readonly decode?: (line: string) => T
}

/** Options of `ndjsonSink`. */
export interface NdjsonSinkOptions<T = unknown> extends Given<WithoutHandlers<typeof NDJSON_SINK_OPTIONS>> {
  readonly path: string
  /** Makes a line of a record. Default: JSON. */
  readonly encode?: (record: T) => string
}

/**
 * Node options of a source that reads a file to its end, a record of each line. With `cursorFile`, the next process goes on where all
 * before has ended.
 * @throws OPTIONS_INVALID
 */
export function ndjsonSource<T = any>(options: NdjsonSourceOptions<T>): SourceOptions<T, CursorFile> {
  const { open, decode = JSON.parse as (line: string) => T } = options
  const filled = checked('ndjsonSource', options, NDJSON_SOURCE_OPTIONS, open === undefined ? ['path'] : [])
  const opened = open ?? openFile(filled.path!)
  async function* parts(from: unknown): AsyncGenerator<FilePart> {
    for await (const { bytes, end } of blocksOf(opened, (from as number | undefined) ?? 0, endOfLines))
      yield { records: recordsOfLines(bytes.toString('utf8'), decode, end), cursor: end }
  }
  return fileSource(filled, parts)
}

/**
 * Node options of a sink that writes a line for each record. A record is done when its batch is in the file.
 * @throws OPTIONS_INVALID
 */
export function ndjsonSink<T = any>(options: NdjsonSinkOptions<T>): SinkBatchOptions<T, BatchWriter> {
  const { path, encode = JSON.stringify } = options
  const filled = checked('ndjsonSink', options, NDJSON_SINK_OPTIONS, ['path'])
  return fileSink({ ...filled, path }, { rowOf: (record) => `${encode(record as T)}\n` })
}
