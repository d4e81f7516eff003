import { ACK_OPTIONS } from './ack.ts'
import { BATCH_OPTIONS } from './batch.ts'
import { HEAP_LIMITS } from './heap.ts'
import { BREAKER_OPTIONS } from './breaker.ts'
import { BUFFER_OPTIONS } from './buffer.ts'
import { LIMIT_OPTIONS } from './limit.ts'
import { PRELOAD_OPTIONS } from './preload.ts'
import { RESTART_OPTIONS } from './restart.ts'
import { RETRY_OPTIONS } from './retry.ts'
import { SCALE_OPTIONS } from './scale.ts'
import type { OptionTable } from './spec.ts'
import { DISPATCHES, NODE_KINDS } from './values.ts'

const STAGES = ['source', 'transform', 'sink'] as const
const INPUTS = ['transform', 'sink'] as const

/** Options of nodes. */
export const NODE_OPTIONS = {
  label: { type: 'string', text: 'Name in drawings. Default: the id.' },
  description: { type: 'string', text: 'Tooltip in drawings.' },
  cluster: { type: 'string', text: 'Id of the cluster that contains the node.' },
  shape: { type: 'string', text: 'Graphviz shape. Default: the shape of the kind.' },
  fillcolor: { type: 'string', text: 'Fill colour. Default: the colour of the theme.' },
  fontcolor: { type: 'string', text: 'Text colour. Default: black or white, depending on the fill.' },
  style: { type: 'string', text: 'Graphviz style.' },
  penwidth: { type: 'number', min: 0, text: 'Width of the outline.' },
  image: { type: 'string', text: 'Image of the node, for Graphviz.' },
  concurrency: {
    kinds: STAGES,
    type: 'integer',
    words: ['cores'],
    default: 1,
    min: 1,
    max: 256,
    unit: 'workers',
    text: 'Workers (threads) of the stage. `cores`: as many as the process may use (`availableCores()`, rounded down; at least 1); `plan` and predictions without `cores` count with 1.',
  },
  maxConcurrency: {
    kinds: INPUTS,
    type: 'integer',
    min: 1,
    max: 256,
    unit: 'workers',
    text: 'Workers that the stage can have after `pipeline.resize`. Memory is planned for them. Default: `scale.max`; without `scale`, `concurrency`, and the stage cannot be resized.',
  },
  scale: {
    kinds: INPUTS,
    type: 'object',
    fields: SCALE_OPTIONS,
    text: 'The number of workers follows the load (`docs/pipelines.md`). Default: it stays as it is until `pipeline.resize`.',
  },
  latencyMs: {
    kinds: NODE_KINDS,
    type: 'number',
    min: 0,
    unit: 'ms',
    text: 'Declared service time of one record, for analysis and rehearsal.',
  },
  serviceRate: {
    kinds: STAGES,
    type: 'number',
    above: 0,
    unit: 'records/s',
    text: 'Declared service rate of the whole stage, instead of `latencyMs`.',
  },
  cpu: {
    kinds: STAGES,
    type: 'boolean',
    default: false,
    text: 'Whether the handler uses the CPU during its `latencyMs` (true) or waits (false).',
  },
  restart: {
    kinds: STAGES,
    type: 'object',
    fields: RESTART_OPTIONS,
    text: 'How crashed workers are replaced. Default: the `restart` of the run.',
  },
  resourceLimits: { kinds: STAGES, type: 'object', fields: HEAP_LIMITS, text: 'Heap limits of each worker.' },
  rateLimit: {
    kinds: STAGES,
    type: 'limit',
    fields: LIMIT_OPTIONS,
    above: 0,
    unit: 'records/s',
    text: 'Maximum number of records per second of all workers of the stage together: those that a source sends, those that a handler is called with, further attempts included. A batch counts as its records. With `by`, it limits each key instead of the stage. Default: no limit.',
  },
  setup: {
    kinds: STAGES,
    type: 'handler',
    text: 'Called once in each worker before its first record. Its result is `context.state`.',
  },
  teardown: { kinds: STAGES, type: 'handler', text: 'Called once in each worker after its last record.' },
  rate: {
    kinds: ['source'],
    type: 'number',
    min: 0,
    unit: 'records/s',
    text: 'Declared rate, for analysis and rehearsal. It does not limit the source.',
  },
  window: {
    kinds: ['source'],
    type: 'integer',
    default: 16_384,
    min: 1,
    max: 1_048_576,
    unit: 'records',
    text: 'Maximum number of source records in flight, per worker.',
  },
  chunk: {
    kinds: ['source'],
    type: 'integer',
    min: 1,
    max: 16_384,
    unit: 'records',
    default: { when: ['ack', 'push'], is: 1, else: 512 },
    text: 'Maximum number of source records that travel as one chunk: they share a slot, and are acked together.',
  },
  metaBytes: {
    kinds: ['source'],
    type: 'integer',
    min: 0,
    max: 65_536,
    unit: 'bytes',
    text: 'Room for the `meta` of each record in flight, as JSON; 0: room for `expiresAt` alone. A record with either travels as one chunk. Default: records have neither.',
  },
  trace: {
    kinds: ['source'],
    type: 'handler',
    text: '(record) => boolean | number: whether to trace the chunk of this record, or the probability of it. Called only if the run has the option `trace`.',
  },
  produce: {
    kinds: ['source'],
    type: 'handler',
    isWork: true,
    text: 'Returns an iterable or async iterable of records.',
  },
  poll: {
    kinds: ['source'],
    type: 'handler',
    isWork: true,
    text: 'Returns at most the requested number of records, or `null` at the end.',
  },
  pollSize: {
    kinds: ['source'],
    type: 'integer',
    default: 512,
    min: 1,
    max: 1_048_576,
    unit: 'records',
    text: 'Maximum number of records requested in one call of `poll`. The window, the available credit and `rateLimit` can lower it.',
  },
  pollMs: {
    kinds: ['source'],
    type: 'number',
    default: 10,
    min: 0,
    max: 3_600_000,
    unit: 'ms',
    text: 'Pause before the next call of `poll` after an empty result.',
  },
  push: {
    kinds: ['source'],
    type: 'boolean',
    isWork: true,
    default: false,
    text: 'The source receives its records from `pipeline.push`.',
  },
  finish: {
    kinds: ['source'],
    type: 'handler',
    text: 'Makes the last records of each worker when the pipeline drains, within its deadline. Not called at the end of the records.',
  },
  ...ACK_OPTIONS,

  selectivity: {
    kinds: ['transform'],
    type: 'number',
    min: 0,
    unit: 'outputs per input',
    default: 1,
    text: 'Declared outputs per input.',
  },
  map: {
    kinds: ['transform'],
    type: 'handler',
    isWork: true,
    text: 'Returns one record for each record. The result then belongs to the pipeline: return a new object each time.',
  },
  flatMap: {
    kinds: ['transform'],
    type: 'handler',
    isWork: true,
    text: 'Returns any number of records for each record. The results then belong to the pipeline.',
  },
  filter: {
    kinds: ['transform'],
    type: 'handler',
    isWork: true,
    text: 'Keeps the records for which it returns true, and filters out the others.',
  },
  mapBatch: {
    kinds: ['transform'],
    type: 'handler',
    isWork: true,
    text: 'Returns any number of records for each batch.',
  },
  mapEach: {
    kinds: ['transform'],
    type: 'handler',
    isWork: true,
    text: 'Returns one record for each record of a batch, in their order.',
  },
  write: {
    kinds: ['sink'],
    type: 'handler',
    isWork: true,
    text: 'Called with each record, or with each batch if `batch` is set.',
  },
  route: { kinds: ['conditional'], type: 'handler', isWork: true, text: 'Returns the branch of a record.' },
  maxInFlight: {
    kinds: INPUTS,
    type: 'integer',
    min: 1,
    max: 65_536,
    unit: 'calls',
    default: { when: ['batch', 'mapBatch', 'mapEach'], is: 1, else: 16 },
    text: 'Maximum number of concurrent calls of an async handler, per worker.',
  },
  ...PRELOAD_OPTIONS,
  ordered: {
    kinds: INPUTS,
    type: 'boolean',
    default: false,
    text: 'Each worker keeps the order of its input, in async and retried calls too. With several workers, `partitionBy` keeps the order of each key.',
  },
  dispatch: {
    kinds: INPUTS,
    type: 'oneOf',
    values: DISPATCHES,
    default: { when: ['partitionBy'], is: 'partition', else: 'demand' },
    text: 'How records are distributed over the workers of this stage.',
  },
  partitionBy: {
    kinds: INPUTS,
    type: 'handler',
    text: 'Returns the key of a record. Records with the same key go to the same worker.',
  },
  batch: { kinds: INPUTS, type: 'object', fields: BATCH_OPTIONS, text: 'Calls the handler with batches of records.' },
  retry: {
    kinds: INPUTS,
    type: 'object',
    fields: RETRY_OPTIONS,
    text: 'How failed records or batches are tried again.',
  },
  breaker: { kinds: INPUTS, type: 'object', fields: BREAKER_OPTIONS, text: 'Pauses after failures. Default: none.' },
  stashBytes: {
    kinds: INPUTS,
    type: 'integer',
    min: 4_096,
    max: 536_870_912,
    unit: 'bytes',
    text: 'Size of the stash of each worker. Default: `stashBytes` of the run.',
  },
  timeoutMs: {
    kinds: INPUTS,
    type: 'number',
    above: 0,
    max: 86_400_000,
    unit: 'ms',
    text: 'Maximum time of one handler call. Default: no limit.',
  },
  maxCrashes: {
    kinds: STAGES,
    type: 'integer',
    default: 2,
    min: 1,
    max: 100,
    unit: 'crashes',
    text: 'Number of crashes after which a record is dead-lettered or failed. A crash counts if it happens while the record is read, handled, routed or sent.',
  },
  ...BUFFER_OPTIONS,
} as const satisfies OptionTable

type Table = typeof NODE_OPTIONS
/** Options that say what a node does. */
export type WorkOption = { [K in keyof Table]: Table[K] extends { isWork: true } ? K : never }[keyof Table]
/** All of them, in the order of the table. */
export const WORK_OPTIONS: readonly WorkOption[] = Object.entries<OptionTable[string]>(NODE_OPTIONS).flatMap(
  ([name, { isWork }]) => (isWork === true ? [name as WorkOption] : []),
)
