import { RUN_OPTIONS } from './run.ts'
import type { OptionTable } from './spec.ts'

/** Options of `pipeline.drain`. */
export const DRAIN_OPTIONS = {
  deadlineMs: {
    ...RUN_OPTIONS.deadlineMs,
    text: 'Maximum total time. After it, the remaining records are nacked and reported. Default: `deadlineMs` of the run.',
  },
  limits: {
    type: 'oneOf',
    values: ['keep', 'lift'],
    default: 'keep',
    text: 'Whether rate limits still hold for the records that are left. Sources send what they have taken already at once.',
  },
} as const satisfies OptionTable
