import type { OptionTable } from './spec.ts'

/** Options of batches. */
export const BATCH_OPTIONS = {
  size: {
    type: 'integer',
    default: 100,
    min: 1,
    max: 1_000_000,
    unit: 'records',
    text: 'Maximum number of records in one batch.',
  },
  timeoutMs: {
    type: 'number',
    min: 0,
    max: 86_400_000,
    default: 100,
    unit: 'ms',
    text: 'Maximum time that the first record of a batch waits for the others.',
  },
  by: { type: 'handler', text: 'Returns the key of a record. A batch contains records of one key only.' },
  of: {
    type: 'handler',
    text: 'Returns how many records the batch of this record has, at most `size`; `undefined` if another record says it. The batch then waits for all of them, whatever `timeoutMs` says, and is retried, failed and dead-lettered as one: the `input` of its failure is the array of its records. Needs `by`.',
  },
  instead: {
    type: 'handler',
    text: 'With `of`: returns a small record that takes the place of a record for which the stash has no room. Without it, such a record waits for room.',
  },
} as const satisfies OptionTable
