import type { OptionTable } from './spec.ts'

/** Options of `pipeline.whatIf`. */
export const WHAT_IF_OPTIONS = {
  seconds: {
    type: 'number',
    default: 1,
    min: 0.05,
    max: 3_600,
    unit: 's',
    text: 'Time for which the pipeline is measured first.',
  },
} as const satisfies OptionTable

/** Options of `pipeline.probe`. */
export const PROBE_OPTIONS = {
  speedup: {
    type: 'number',
    default: 0.2,
    min: 0.05,
    max: 0.8,
    text: 'Part of its time by which the stage is made quicker, virtually.',
  },
  seconds: {
    type: 'number',
    default: 4,
    min: 0.2,
    max: 3_600,
    unit: 's',
    text: 'Time that the probe takes. In half of it, in turns, the other stages are slowed down.',
  },
} as const satisfies OptionTable
