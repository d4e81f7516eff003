import { NODE_OPTIONS } from './node.ts'
import { RETRY_OPTIONS } from './retry.ts'
import type { OptionTable } from './spec.ts'

const { when: _, ...RETRY } = RETRY_OPTIONS

/** What `defaults` of a run may say for all its stages: what is no part of what a stage does. */
export const STAGE_DEFAULTS = {
  concurrency: NODE_OPTIONS.concurrency,
  maxInFlight: NODE_OPTIONS.maxInFlight,
  retry: { ...NODE_OPTIONS.retry, fields: RETRY },
  timeoutMs: NODE_OPTIONS.timeoutMs,
  maxCrashes: NODE_OPTIONS.maxCrashes,
  stashBytes: NODE_OPTIONS.stashBytes,
  resourceLimits: NODE_OPTIONS.resourceLimits,
  window: NODE_OPTIONS.window,
  chunk: NODE_OPTIONS.chunk,
} as const satisfies OptionTable
