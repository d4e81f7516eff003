import type { OptionTable } from './spec.ts'

/** Options of nodes and of runs: how dead workers are replaced. */
export const RESTART_OPTIONS = {
  backoffMs: {
    type: 'number',
    default: 10,
    min: 0,
    max: 3_600_000,
    unit: 'ms',
    text: 'Delay before the second restart within the window; it doubles from there. The first restart does not wait.',
  },
  maxBackoffMs: {
    type: 'number',
    default: 5_000,
    min: 0,
    max: 3_600_000,
    unit: 'ms',
    text: 'Longest delay before a restart.',
  },
  maxRestarts: {
    type: 'integer',
    default: 5,
    min: 0,
    unit: 'restarts',
    text: 'Restarts of the stage within the window; one more stops the pipeline.',
  },
  withinMs: { type: 'number', default: 30_000, above: 0, unit: 'ms', text: 'The window.' },
  maxPoison: {
    type: 'number',
    default: 0.5,
    min: 0,
    max: 1,
    text: 'Share of the last 20 records (or batches) in hand that may kill their worker and be given up; more stop the pipeline. 1: any number may.',
  },
} as const satisfies OptionTable
