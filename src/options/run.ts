import { STAGE_DEFAULTS } from './defaults.ts'
import { DURABLE_OPTIONS } from './durable.ts'
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
    text: 'Maximum total time of `drain` or `stop`. After it, the remaining records are nacked and reported.',
  },
  startDeadlineMs: {
    type: 'number',
    default: 30_000,
    above: 0,
    max: 86_400_000,
    unit: 'ms',
    text: 'Time within which all workers must be ready. Each replacement of a crashed worker has the same time; after it, its thread is terminated.',
  },
  maxDemand: {
    type: 'integer',
    default: 8_192,
    min: 1,
    max: 16_777_216,
    unit: 'records',
    text: 'Maximum number of records on a lane, if the edge and its buffers do not set it.',
  },
  laneBytes: {
    type: 'integer',
    default: 524_288,
    min: 1_024,
    max: 536_870_912,
    unit: 'bytes',
    text: 'Size of the ring of each lane, if the edge does not set it. Rounded up to a power of two.',
  },
  stashBytes: {
    type: 'integer',
    default: 1_048_576,
    min: 4_096,
    max: 536_870_912,
    unit: 'bytes',
    text: 'Size of the stash of each worker. The stash holds records of open calls, waiting retries and open batches by key.',
  },
  maxMemoryBytes: {
    type: 'integer',
    default: 2_147_483_648,
    min: 65_536,
    max: 2_147_483_648,
    unit: 'bytes',
    text: 'Maximum shared memory of the plan. Lanes of the default size are made smaller before a plan is refused. If it is not set, `run` uses at most half of the memory that the process may use (`availableMemory()`).',
  },
  maxRecordBytes: {
    type: 'integer',
    default: 67_108_864,
    min: 1_024,
    max: 1_073_741_824,
    unit: 'bytes',
    text: 'Maximum size of an encoded record. A larger record fails with `RECORD_TOO_LARGE`.',
  },
  restart: {
    type: 'object',
    fields: RESTART_OPTIONS,
    text: 'How crashed workers are replaced, if the node does not set it.',
  },
  defaults: {
    type: 'object',
    fields: STAGE_DEFAULTS,
    text: 'Options of all stages that do not set them themselves; `concurrency` of transforms and sinks only. Not for sources that are pushed to and sinks that are read by `pipeline.output`.',
  },
  stallMs: {
    type: 'number',
    default: 10_000,
    above: 0,
    max: 86_400_000,
    unit: 'ms',
    text: 'The pipeline emits `stalled` if it has records in flight and moves none for this time. While a batch or a retry waits, the time starts after it.',
  },
  trace: {
    type: 'object',
    fields: TRACE_OPTIONS,
    text: 'Tracing: which chunks, and room for their events (`docs/tracing.md`). Left out, nothing is traced and no room is taken; an empty object takes the room, and what is traced can be said later.',
  },
  part: {
    type: 'string',
    text: 'Runs one part of a graph whose buffers have `via`. Default: all parts.',
  },
  durable: {
    type: 'object',
    fields: DURABLE_OPTIONS,
    text: 'What was accepted outlives the process (`docs/durability.md`). Needs `dir`. Left out, nothing is written to disk. A rehearsal keeps nothing.',
  },
  inject: {
    type: 'boolean',
    default: false,
    text: 'Lets `pipeline.inject` insert single records before any node: test records, and replays of dead letters. Adds a lane to every worker.',
  },
  paused: {
    type: 'boolean',
    default: false,
    text: 'Starts the sources paused: they make no records until `pipeline.resume`.',
  },
  deadLetters: {
    type: 'integer',
    default: 1_000,
    min: 0,
    max: 1_000_000,
    unit: 'records',
    text: 'Number of dead letters kept in the memory of the thread that called `run`, to inspect and to replay.',
  },
  deadLetterBytes: {
    type: 'integer',
    default: 67_108_864,
    min: 0,
    max: 1_099_511_627_776,
    unit: 'bytes',
    text: 'Maximum memory of the kept dead letters. New ones replace the oldest. If one record is larger than this, its dead letter is kept without the record.',
  },
  params: {
    type: 'clonable',
    text: 'Value that handlers read from `context.params`, in every worker. A function that makes the graph is called with it. Cloned once with `structuredClone` when you call `run`.',
  },
  workerModule: {
    type: 'string',
    text: 'Module that every worker imports before the module of the graph: a URL, a path beside the module of the graph, or a package installed there.',
  },
  loader: {
    type: 'string',
    default: 'auto',
    text: 'How workers import TypeScript modules: `auto`, `native`, `tsx`, `jiti`, or the URL of a module that exports `load(url)`.',
  },
  signal: {
    type: 'signal',
    text: 'Stops the pipeline when it aborts. If it aborts before the workers are ready, `run` rejects with its reason.',
  },
} as const satisfies OptionTable
