import type { OptionTable } from './spec.ts'

/** Options of stages whose number of workers follows their load. */
export const SCALE_OPTIONS = {
  min: {
    type: 'integer',
    default: 1,
    min: 1,
    max: 256,
    unit: 'workers',
    text: 'Fewest workers. The stage starts with as many if it sets no `concurrency`.',
  },
  max: {
    type: 'integer',
    min: 1,
    max: 256,
    unit: 'workers',
    text: 'Most workers. Memory is planned for them. Default: `maxConcurrency`.',
  },
  busy: {
    type: 'number',
    default: 0.7,
    min: 0.1,
    max: 0.95,
    text: 'Share of their time for which workers are to be busy. The stage gets the fewest workers that are busy for no more than this.',
  },
  everyMs: {
    type: 'number',
    default: 10_000,
    min: 50,
    max: 3_600_000,
    unit: 'ms',
    text: 'Time that is measured for each decision. More workers take two decisions that agree, fewer workers six. The shortest one of a pipeline counts for all its stages.',
  },
} as const satisfies OptionTable
