import type { OptionTable } from './spec.ts'

/** Options of nodes and of runs: how dead workers are replaced. */
export const RESTART_OPTIONS = {
  backoffMs: {
    type: 'number',
    default: 10,
    min: 0,
    max: 3_600_000,
    unit: 'ms',
    text: 'Delay before the second restart within `withinMs`. It doubles with each further restart. The first restart has no delay.',
  },
  maxBackoffMs: {
    type: 'number',
    default: 5_000,
    min: 0,
    max: 3_600_000,
    unit: 'ms',
    text: 'Maximum delay before a restart.',
  },
  maxRestarts: {
    type: 'integer',
    default: 5,
    min: 0,
    unit: 'restarts',
    text: 'Maximum number of restarts of the stage within `withinMs`. One more crash stops the pipeline.',
  },
  withinMs: {
    type: 'number',
    default: 30_000,
    above: 0,
    unit: 'ms',
    text: 'Time window in which restarts are counted.',
  },
  maxPoison: {
    type: 'number',
    default: 0.5,
    min: 0,
    max: 1,
    text: 'Share of the last 20 records (or batches) in progress that may crash their worker and be dead-lettered. More stop the pipeline. 1 means no limit.',
  },
} as const satisfies OptionTable
