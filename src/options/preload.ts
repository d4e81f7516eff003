import type { OptionTable } from './spec.ts'

/** Options of stages: what is looked up for several records before the handler is called with each. */
export const PRELOAD_OPTIONS = {
  preload: {
    kinds: ['transform', 'sink'],
    type: 'handler',
    text: 'Called with up to `preloadSize` records before the handler is called with each of them: bulk look-ups. Returns an array with one value for each record, or a promise of one; `context.preloaded` is the value of the record.',
  },
  preloadSize: {
    kinds: ['transform', 'sink'],
    type: 'integer',
    default: 100,
    min: 1,
    max: 300,
    unit: 'records',
    text: 'Maximum number of records in one call of `preload`. It does not wait for more. If the worker crashes meanwhile, that counts as a crash of each of them, and they are then looked up one by one.',
  },
} as const satisfies OptionTable
