import type { OptionTable } from '../spec.ts'

/** Options of all sources that go on in a file where they were. */
export const CURSOR_OPTIONS = {
  cursorFile: {
    type: 'string',
    text: 'File that keeps the watermark: the next process goes on there. It is created if it does not exist. Default: a new process begins at the start.',
  },
} as const satisfies OptionTable

/** Options of all sources that read a file to its end. */
export const FILE_SOURCE_OPTIONS = {
  path: { type: 'string', text: 'File to read. One that ends in `.gz` is decompressed.' },
  open: {
    type: 'handler',
    text: '(offset) => bytes from this offset on, as a stream or another async iterable. Instead of `path`.',
  },
  ...CURSOR_OPTIONS,
} as const satisfies OptionTable

/** Options of all sinks that write a file. */
export const FILE_SINK_OPTIONS = {
  path: {
    type: 'string',
    text: 'File to write. One that ends in `.gz` is compressed. With several workers it contains `{worker}`, the number of the worker.',
  },
  mode: {
    type: 'oneOf',
    values: ['replace', 'append'],
    default: 'replace',
    text: '`replace` writes `PATH.part` and renames it when the sink ends. `append` adds to what is there.',
  },
} as const satisfies OptionTable
