import type { OptionTable } from '../spec.ts'
import { QUEUE_OPTIONS } from './connector.ts'
import { CURSOR_OPTIONS } from './file.ts'

/** Options of `tailSource`. */
export const TAIL_OPTIONS = {
  path: { type: 'string', text: 'File that grows. It need not exist yet.' },
  from: {
    type: 'oneOf',
    values: ['start', 'end'],
    default: 'start',
    text: 'Where to begin a file without a cursor.',
  },
  lookMs: {
    type: 'number',
    default: 200,
    min: 1,
    max: 3_600_000,
    unit: 'ms',
    text: 'Pause between two looks at the file if nothing is there.',
  },
  ...CURSOR_OPTIONS,
  decode: {
    type: 'handler',
    text: '(line) => record. Default: the line. A line for which it throws takes the dead-letter edge of the source.',
  },
} as const satisfies OptionTable

/** Options of `watchSource`. */
export const WATCH_OPTIONS = {
  directory: {
    type: 'string',
    text: 'Directory whose files are messages. It must exist. Those below it are not looked at.',
  },
  ending: { type: 'string', text: 'Only files whose name ends like this: `.csv`. Default: all but hidden ones.' },
  settleMs: {
    type: 'number',
    default: 2_000,
    min: 0,
    max: 3_600_000,
    unit: 'ms',
    text: 'A file is taken if nothing has changed in it for this time.',
  },
  whenDone: {
    type: 'oneOf',
    values: ['keep', 'delete'],
    default: 'keep',
    text: 'What becomes of a file that is done. One that is kept is taken again if it changes, and by the next process.',
  },
  doneTo: { type: 'string', text: 'Directory into which a file is moved that is done. Instead of `whenDone`.' },
  failedTo: {
    type: 'string',
    text: 'Directory into which a file is moved that failed for the last time. Default: it stays.',
  },
  ...QUEUE_OPTIONS,
  decode: {
    type: 'handler',
    text: '(file) => record. Default: `{ path, size, changedAt }`. A file for which it throws takes the dead-letter edge of the source.',
  },
} as const satisfies OptionTable
