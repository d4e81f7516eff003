import type { OptionTable } from './spec.ts'

/** Options of `durable`. */
export const DURABLE_OPTIONS = {
  dir: {
    type: 'string',
    text: 'Folder of the ingress journal, for one pipeline of one process at a time. It is made if it does not exist.',
  },
  sync: {
    type: 'oneOf',
    values: ['group', 'each', 'time'],
    default: 'group',
    text: 'When `push` resolves: `group`, once the record is on the disk together with all that were pushed meanwhile; `each`, the same with one `fdatasync` for each record; `time`, once the operating system has it, with one `fdatasync` every `syncMs`: a crash of the machine, not of the process, can lose the records of that time.',
  },
  syncMs: {
    type: 'number',
    default: 1_000,
    min: 1,
    max: 3_600_000,
    unit: 'ms',
    text: 'With `sync: "time"`: time between two calls of `fdatasync`.',
  },
  segmentBytes: {
    type: 'integer',
    default: 67_108_864,
    min: 4_096,
    max: 1_073_741_824,
    unit: 'bytes',
    text: 'Size of a file of the journal. A file is removed when all of its records, and those of the files before it, have ended.',
  },
  cursorMs: {
    type: 'number',
    default: 200,
    min: 1,
    max: 3_600_000,
    unit: 'ms',
    text: 'Time between two looks at the watermarks of sources. What ends between the last look and a crash is made again.',
  },
} as const satisfies OptionTable
