import type { OptionTable } from './spec.ts'

/** Options of nodes: heap limits of each worker, as `node:worker_threads` has them. */
export const HEAP_LIMITS = {
  maxOldGenerationSizeMb: { type: 'number', above: 0, unit: 'MB', text: 'Heap for long-lived objects.' },
  maxYoungGenerationSizeMb: { type: 'number', above: 0, unit: 'MB', text: 'Heap for new objects.' },
  codeRangeSizeMb: { type: 'number', above: 0, unit: 'MB', text: 'Memory for compiled code.' },
  // With less, Node (20.20) ends the whole process as soon as the thread starts.
  stackSizeMb: { type: 'number', min: 0.5, max: 1024, unit: 'MB', text: 'Stack of the thread.' },
} as const satisfies OptionTable
