import type { OptionTable } from './spec.ts'

/** Options of rate limits. A number in their place is `perSecond`. */
export const LIMIT_OPTIONS = {
  perSecond: {
    type: 'number',
    above: 0,
    unit: 'records/s',
    text: 'Maximum number of records per second.',
  },
  burst: {
    type: 'integer',
    min: 1,
    max: 1_000_000,
    unit: 'records',
    text: 'Number of records that may go at once after a pause. Default: ten milliseconds of `perSecond`, and at least one.',
  },
} as const satisfies OptionTable
