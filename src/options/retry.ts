import type { OptionTable } from './spec.ts'

/** Options of nodes: how failed records are retried. */
export const RETRY_OPTIONS = {
  maxAttempts: {
    type: 'integer',
    default: 1,
    min: 1,
    max: 65_535,
    unit: 'attempts',
    text: 'Maximum number of handler calls for one record or batch, including the first.',
  },
  backoff: {
    type: 'oneOf',
    values: ['constant', 'linear', 'exponential'],
    default: 'exponential',
    text: 'How the delay grows from one attempt to the next.',
  },
  baseMs: {
    type: 'number',
    default: 100,
    min: 0,
    max: 86_400_000,
    unit: 'ms',
    text: 'Delay before the second attempt.',
  },
  maxMs: { type: 'number', default: 30_000, min: 0, max: 86_400_000, unit: 'ms', text: 'Maximum delay.' },
  jitter: { type: 'number', default: 0.2, min: 0, max: 1, text: 'Share of the delay that is random.' },
  when: {
    type: 'handler',
    text: 'Decides from the error and the attempt whether to try again. Default: always.',
  },
} as const satisfies OptionTable
