/** A file that grows, and a directory into which files come, as sources: entry point `millrace/files`. */
import type { SourceOptions } from '../../graph/types.ts'
import { type Given, TAIL_OPTIONS, WATCH_OPTIONS, type WithoutHandlers } from '../../options/index.ts'
import { checked } from '../core/checked.ts'
import type { CursorFile } from '../core/file/cursor-file.ts'
import { fileSource } from '../core/file/file-source.ts'
import { type MessageQueue, queueSource } from '../core/queue.ts'
import { tailParts } from './tail.ts'
import { DirectoryIntake, type FileMessage } from './watch.ts'

export type { FileMessage } from './watch.ts'

/** Options of `tailSource`. */
export interface TailOptions<T = unknown> extends Given<WithoutHandlers<typeof TAIL_OPTIONS>> {
  readonly path: string
  /** Makes a record of a line. Default: the line. */
  readonly decode?: (line: string) => T
}

/** Options of `watchSource`. */
export interface WatchOptions<T = unknown> extends Given<WithoutHandlers<typeof WATCH_OPTIONS>> {
  readonly directory: string
  /** Makes a record of a file. Default: where it is, its size, and when it changed. */
  readonly decode?: (file: FileMessage) => T
}

/**
 * Node options of a source that follows a file as it grows, a record of each line. One that is replaced or cut is read from its
 * start. With `cursorFile`, the next process goes on where all before has ended.
 * @throws OPTIONS_INVALID
 */
export function tailSource<T = string>(options: TailOptions<T>): SourceOptions<T, CursorFile> {
  const { path, decode = (line: string) => line } = options
  const filled = checked('tailSource', options, TAIL_OPTIONS, ['path'])
  const { cursorFile } = filled
  const tail = { ...filled, path, decode }
  return fileSource(cursorFile === undefined ? {} : { cursorFile }, (from, signal) => tailParts(tail, from, signal))
}

/**
 * Node options of a source of the files that lie in a directory and come into it. A file is done when all results of its record are.
 * @throws OPTIONS_INVALID
 */
export function watchSource<T = FileMessage>(options: WatchOptions<T>): SourceOptions<T, MessageQueue> {
  const { directory, decode = (file: FileMessage) => file } = options
  const filled = checked('watchSource', options, WATCH_OPTIONS, ['directory'])
  const watch = { ...filled, directory, decode }
  return queueSource(watch, { directory }, (feed, context) => DirectoryIntake.open(watch, feed, context))
}
