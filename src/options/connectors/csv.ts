import type { OptionTable } from '../spec.ts'
import { FILE_SINK_OPTIONS, FILE_SOURCE_OPTIONS } from './file.ts'

const FORMAT = {
  delimiter: { type: 'string', default: ',', text: 'Character between two cells.' },
  columns: { type: 'strings', text: 'Names of the columns.' },
} as const satisfies OptionTable

/** Options of `csvSource`. */
export const CSV_SOURCE_OPTIONS = {
  ...FILE_SOURCE_OPTIONS,
  ...FORMAT,
  columns: { ...FORMAT.columns, text: 'Names of the columns, if the first row is not a header.' },
  encoding: { type: 'oneOf', values: ['utf8', 'latin1'], default: 'utf8', text: 'Encoding of the bytes.' },
  decode: {
    type: 'handler',
    text: '(row) => record. `row` is an object of texts by column. Default: the row. A row for which it throws takes the dead-letter edge of the source.',
  },
} as const satisfies OptionTable

/** Options of `csvSink`. */
export const CSV_SINK_OPTIONS = {
  ...FILE_SINK_OPTIONS,
  ...FORMAT,
  columns: {
    ...FORMAT.columns,
    text: 'Fields of a record in the order of their columns. Default: the fields of the first record.',
  },
  header: { type: 'boolean', default: true, text: 'Whether an empty file begins with the names of the columns.' },
} as const satisfies OptionTable
