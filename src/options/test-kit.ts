import { RUN_OPTIONS } from './run.ts'
import type { OptionTable } from './spec.ts'

/** Options of `inline` (`millrace/test`), beside its `input`. */
export const INLINE_OPTIONS = {
  seed: {
    type: 'integer',
    default: 1,
    min: 0,
    max: 4_294_967_295,
    text: 'Decides the order in which workers are stepped and answers arrive, and what `Math.random` gives. The same seed gives the same run.',
  },
  clock: {
    type: 'oneOf',
    values: ['virtual', 'real'],
    default: 'virtual',
    text: 'With `virtual`, time passes only when nothing else can happen, for the library and for the timers, `Date` and `performance.now` of handlers. With `real`, workers wait as they would in threads: needed if handlers wait for servers.',
  },
  crashAt: {
    type: 'integer',
    min: 0,
    max: 1_000_000_000,
    text: 'Number of the instant from which on the first worker that can crashes, once. Instants, counted from 0, are the begin and the end of each call of a handler, and of each hand-off.',
  },
  crashShare: {
    type: 'number',
    default: 0,
    min: 0,
    max: 1,
    text: 'Share of the steps in which the worker crashes at some instant.',
  },
  drainAfter: {
    type: 'integer',
    min: 1,
    max: 1_000_000_000,
    unit: 'steps',
    text: 'Drains the pipeline after this number of steps. Needed for sources that never end.',
  },
  maxSteps: {
    type: 'integer',
    default: 1_000_000,
    min: 1,
    max: 1_000_000_000,
    unit: 'steps',
    text: 'If the pipeline is not over after this number of steps, `inline` rejects with `INLINE_NOT_OVER`.',
  },
  params: RUN_OPTIONS.params,
  maxDemand: RUN_OPTIONS.maxDemand,
  laneBytes: RUN_OPTIONS.laneBytes,
  stashBytes: RUN_OPTIONS.stashBytes,
  maxRecordBytes: {
    ...RUN_OPTIONS.maxRecordBytes,
    default: 1_048_576,
    text: 'As in a run, with a smaller default: room for a record of this size is made for each worker.',
  },
} as const satisfies OptionTable
