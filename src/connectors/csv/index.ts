/** Files of comma-separated values as a source and as a sink: entry point `millrace/csv`. */
import type { SinkBatchOptions, SourceOptions } from '../../graph/types.ts'
import { CSV_SINK_OPTIONS, CSV_SOURCE_OPTIONS, type Given, type WithoutHandlers } from '../../options/index.ts'
import { checked } from '../core/checked.ts'
import { type OpenBytes, openFile } from '../core/file/blocks.ts'
import type { CursorFile } from '../core/file/cursor-file.ts'
import { fileSink } from '../core/file/file-sink.ts'
import { fileSource } from '../core/file/file-source.ts'
import type { BatchWriter } from '../core/sink.ts'
import { csvParts, type CsvRow } from './rows.ts'
import { csvWriter } from './writer.ts'

export type { CsvRow } from './rows.ts'

/** Options of `csvSource`; `path` or `open` is given. */
export interface CsvSourceOptions<T = unknown> extends Given<WithoutHandlers<typeof CSV_SOURCE_OPTIONS>> {
  /** Gives the bytes from an offset on, where they do not come from a file. */
  readonly open?: OpenBytes
  /** Makes a record of a row. Default: the row. */
  readonly decode?: (row: CsvRow) => T
}

/** Options of `csvSink`. */
export interface CsvSinkOptions extends Given<WithoutHandlers<typeof CSV_SINK_OPTIONS>> {
  readonly path: string
}

/**
 * Node options of a source that reads a file to its end, a record of each row. With `cursorFile`, the next process goes on where all
 * before has ended.
 * @throws OPTIONS_INVALID
 */
export function csvSource<T = CsvRow>(options: CsvSourceOptions<T>): SourceOptions<T, CursorFile> {
  const { open, decode = (row: CsvRow) => row } = options
  const filled = checked('csvSource', options, CSV_SOURCE_OPTIONS, open === undefined ? ['path'] : [])
  const opened = open ?? openFile(filled.path!)
  return fileSource(filled, (from) => csvParts(opened, from as number | undefined, { ...filled, decode }))
}

/**
 * Node options of a sink that writes a row for each record. A record is done when its batch is in the file.
 * @throws OPTIONS_INVALID
 */
export function csvSink<T extends object = any>(options: CsvSinkOptions): SinkBatchOptions<T, BatchWriter> {
  const { path } = options
  const filled = checked('csvSink', options, CSV_SINK_OPTIONS, ['path'])
  return fileSink({ ...filled, path }, csvWriter(filled))
}
