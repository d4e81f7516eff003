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
    text: 'Maximum number of restarts of the stage within `withinMs`. After one more crash, `exhausted` decides.',
  },
  withinMs: {
    type: 'number',
    default: 30_000,
    above: 0,
    unit: 'ms',
    text: 'Time window in which restarts are counted.',
  },
  exhausted: {
    type: 'oneOf',
    values: ['stop', 'drain', 'detach'],
    default: 'stop',
    text: 'What happens if a stage crashes too often or on too many records. `stop`: the pipeline stops. `drain`: the stage is detached, the pipeline drains, and then `finished` rejects. `detach`: the stage is detached, and the rest goes on until `pipeline.attach`. The records of a detached stage fail with `STAGE_DETACHED`; a detached source makes none.',
  },
  maxPoison: {
    type: 'number',
    default: 0.5,
    min: 0,
    max: 1,
    text: 'Share of the last 20 records (or batches) in progress that may crash their worker and be dead-lettered. If there are more, `exhausted` decides. 1 means no limit.',
  },
} as const satisfies OptionTable
