import { RESTART_OPTIONS } from './restart.ts'
import { TRACE_OPTIONS } from './trace.ts'
import type { OptionTable } from './spec.ts'

/** Options of `run` and `plan`. */
export const RUN_OPTIONS = {
  deadlineMs: {
    type: 'number',
    default: 30_000,
    min: 0,
    max: 86_400_000,
    unit: 'ms',
    text: 'Total time that `drain` or `stop` may take; then what is left is nacked and reported.',
  },
  startDeadlineMs: {
    type: 'number',
    default: 30_000,
    above: 0,
    max: 86_400_000,
    unit: 'ms',
    text: 'Total time in which all workers must be ready. A successor has as long by itself; its thread is then terminated.',
  },
  maxDemand: {
    type: 'integer',
    default: 8_192,
    min: 1,
    max: 16_777_216,
    unit: 'records',
    text: 'Most records on a lane at once, where the edge and its buffers say nothing.',
  },
  laneBytes: {
    type: 'integer',
    default: 524_288,
    min: 1_024,
    max: 536_870_912,
    unit: 'bytes',
    text: 'Bytes of a lane’s ring, where the edge says nothing; rounded up to a power of two.',
  },
  stashBytes: {
    type: 'integer',
    default: 1_048_576,
    min: 4_096,
    max: 536_870_912,
    unit: 'bytes',
    text: 'Bytes of each worker’s stash: records in open calls, waiting retries, open batches by key.',
  },
  maxMemoryBytes: {
    type: 'integer',
    default: 2_147_483_648,
    min: 65_536,
    max: 2_147_483_648,
    unit: 'bytes',
    text: 'Most shared memory that the plan may take. Lanes of the default size get smaller before a plan is refused. If the run says nothing, `run` takes half of what the process may use (`availableMemory()`) if that is less.',
  },
  maxRecordBytes: {
    type: 'integer',
    default: 67_108_864,
    min: 1_024,
    max: 1_073_741_824,
    unit: 'bytes',
    text: 'Largest encoded record. A larger one fails with RECORD_TOO_LARGE.',
  },
  restart: {
    type: 'object',
    fields: RESTART_OPTIONS,
    text: 'How dead workers are replaced, where the node says nothing.',
  },
  stallMs: {
    type: 'number',
    default: 10_000,
    above: 0,
    max: 86_400_000,
    unit: 'ms',
    text: 'A pipeline with records in flight that moves none for so long emits `stalled`; while a batch or a retry waits, only after that.',
  },
  trace: {
    type: 'object',
    fields: TRACE_OPTIONS,
    text: 'Tracing: which granules, and room for their events (`docs/tracing.md`). Left out, nothing is traced and no room is taken; an empty object takes the room, and what is traced can be said later.',
  },
  inject: {
    type: 'boolean',
    default: false,
    text: 'Lets `pipeline.inject` put single records in before any node: test records, and dead letters once more. Adds a lane to every worker.',
  },
  deadLetters: {
    type: 'integer',
    default: 1_000,
    min: 0,
    max: 1_000_000,
    unit: 'records',
    text: 'Records that were given up and are kept in the memory of the embedding thread, to look at and to try again.',
  },
  deadLetterBytes: {
    type: 'integer',
    default: 67_108_864,
    min: 0,
    max: 1_099_511_627_776,
    unit: 'bytes',
    text: 'Memory that the kept dead letters take at most. The oldest make room; a record that is larger by itself is not kept with its letter.',
  },
  params: {
    type: 'clonable',
    text: 'What handlers find in `context.params`, in every worker and every successor, and what a function that makes the graph is called with. Cloned as `structuredClone` does, once, when `run` is called.',
  },
  loader: {
    type: 'string',
    default: 'auto',
    text: 'How workers import TypeScript modules: `auto`, `native`, `tsx`, `jiti`, or the URL of a module that exports `load(url)`.',
  },
  signal: {
    type: 'signal',
    text: 'Stops the pipeline when aborted. One that aborts before the workers are ready ends the start: `run` rejects with its reason.',
  },
} as const satisfies OptionTable
