import type { OptionTable } from './spec.ts'

/** Options of stages: when a handler that fails again and again is left alone for a while. */
export const BREAKER_OPTIONS = {
  failures: {
    type: 'integer',
    default: 10,
    min: 1,
    max: 1_000_000,
    unit: 'calls',
    text: 'Number of calls in a row that fail before a worker makes a pause. Further attempts count, too.',
  },
  pauseMs: {
    type: 'number',
    default: 1_000,
    min: 1,
    max: 3_600_000,
    unit: 'ms',
    text: 'Length of the pause. Then one record (or batch) is tried: if it fails, the next pause is twice as long.',
  },
  maxPauseMs: {
    type: 'number',
    default: 60_000,
    min: 1,
    max: 3_600_000,
    unit: 'ms',
    text: 'Maximum length of a pause.',
  },
} as const satisfies OptionTable
