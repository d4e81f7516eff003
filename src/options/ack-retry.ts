import { RETRY_OPTIONS } from './retry.ts'
import type { OptionTable } from './spec.ts'

const { maxAttempts, backoff, baseMs, maxMs, jitter } = RETRY_OPTIONS

/** Options of sources: how a call of `ack` that fails is tried again. */
export const ACK_RETRY_OPTIONS = {
  maxAttempts: {
    ...maxAttempts,
    default: 6,
    text: 'Maximum number of calls for the same records, including the first.',
  },
  backoff,
  baseMs: { ...baseMs, default: 50, text: 'Delay before the second call.' },
  maxMs,
  jitter,
  exhausted: {
    type: 'oneOf',
    values: ['event', 'stop'],
    default: 'event',
    text: 'What follows the last call that fails: the event `ack.failed`, and the records count as reported; or the pipeline stops with the error `ACK_FAILED`.',
  },
} as const satisfies OptionTable
