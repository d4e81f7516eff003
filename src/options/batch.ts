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
  idleMs: {
    type: 'number',
    min: 0,
    max: 86_400_000,
    unit: 'ms',
    text: 'Completes a batch to which no record was added for this time. Default: no limit.',
  },
  weigh: { type: 'handler', text: 'Returns the weight of a record: a finite number of at least 0.' },
  weight: {
    type: 'number',
    above: 0,
    text: 'Completes a batch as soon as its records weigh this much. The record that reaches it is in the batch. With `of`, those of the batch that come later are taken without a call.',
  },
  maxWeight: {
    type: 'number',
    above: 0,
    text: 'Maximum weight of a batch. A record that would exceed it begins the next batch. One that exceeds it by itself is a batch by itself.',
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
  maxOpen: {
    type: 'integer',
    default: 1_000,
    min: 1,
    max: 1_000_000,
    unit: 'batches',
    text: 'With `by`: maximum number of open batches per worker. One more completes the one that was added to longest ago.',
  },
  serial: {
    type: 'boolean',
    default: false,
    text: 'With `by`: the batches of a key go one at a time, whatever `maxInFlight` is. While one waits for a retry, those behind it wait.',
  },
} as const satisfies OptionTable
