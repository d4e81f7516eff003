import type { OptionTable } from '../spec.ts'
import { FILE_SINK_OPTIONS, FILE_SOURCE_OPTIONS } from './file.ts'

/** Options of `ndjsonSource`. */
export const NDJSON_SOURCE_OPTIONS = {
  ...FILE_SOURCE_OPTIONS,
  decode: {
    type: 'handler',
    text: '(line) => record. Default: the line is JSON. A line for which it throws takes the dead-letter edge of the source.',
  },
} as const satisfies OptionTable

/** Options of `ndjsonSink`. */
export const NDJSON_SINK_OPTIONS = {
  ...FILE_SINK_OPTIONS,
  encode: { type: 'handler', text: '(record) => line. Default: JSON.' },
} as const satisfies OptionTable
