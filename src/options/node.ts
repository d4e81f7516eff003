import { RESTART_OPTIONS } from './restart.ts'
import type { OptionTable } from './spec.ts'
import { DISPATCHES, NODE_KINDS, WHEN_FULL } from './values.ts'

const STAGES = ['source', 'transform', 'sink'] as const
const INPUTS = ['transform', 'sink'] as const

export const RETRY_OPTIONS = {
  maxAttempts: {
    type: 'integer',
    default: 1,
    min: 1,
    max: 65_535,
    unit: 'attempts',
    text: 'Calls of the handler for one record or batch, the first one included.',
  },
  backoff: {
    type: 'oneOf',
    values: ['constant', 'linear', 'exponential'],
    default: 'exponential',
    text: 'How the delay grows from one attempt to the next.',
  },
  baseMs: {
    type: 'number',
    default: 100,
    min: 0,
    max: 86_400_000,
    unit: 'ms',
    text: 'Delay before the second attempt.',
  },
  maxMs: { type: 'number', default: 30_000, min: 0, max: 86_400_000, unit: 'ms', text: 'Longest delay.' },
  jitter: { type: 'number', default: 0.2, min: 0, max: 1, text: 'Share of the delay that is random.' },
  when: {
    type: 'handler',
    text: 'Tells, from the error and the attempt, whether another attempt is worth it. Default: always.',
  },
} as const satisfies OptionTable

export const BATCH_OPTIONS = {
  size: { type: 'integer', default: 100, min: 1, max: 1_000_000, unit: 'records', text: 'Most records in one batch.' },
  timeoutMs: {
    type: 'number',
    min: 0,
    max: 86_400_000,
    default: 100,
    unit: 'ms',
    text: 'Longest time that the first record of an open batch waits for the others.',
  },
  by: { type: 'handler', text: 'Key of a record; a batch holds records of one key.' },
} as const satisfies OptionTable

const HEAP_LIMITS = {
  maxOldGenerationSizeMb: { type: 'number', above: 0, unit: 'MB', text: 'Heap for objects that live long.' },
  maxYoungGenerationSizeMb: { type: 'number', above: 0, unit: 'MB', text: 'Heap for objects that are new.' },
  codeRangeSizeMb: { type: 'number', above: 0, unit: 'MB', text: 'Memory for compiled code.' },
  // With less, Node (20.20) ends the whole process as soon as the thread starts.
  stackSizeMb: { type: 'number', min: 0.5, max: 1024, unit: 'MB', text: 'Stack of the thread.' },
} as const satisfies OptionTable

/** Options of nodes. */
export const NODE_OPTIONS = {
  label: { type: 'string', text: 'Name in drawings. Default: the id.' },
  description: { type: 'string', text: 'Tooltip in drawings.' },
  cluster: { type: 'string', text: 'Id of the cluster that holds the node.' },
  shape: { type: 'string', text: 'Graphviz shape, instead of the kind’s.' },
  fillcolor: { type: 'string', text: 'Fill, instead of the theme’s.' },
  fontcolor: { type: 'string', text: 'Text colour. Default: black or white, whichever reads better on the fill.' },
  style: { type: 'string', text: 'Graphviz style.' },
  penwidth: { type: 'number', min: 0, text: 'Width of the outline.' },
  image: { type: 'string', text: 'Image of the node, for Graphviz.' },

  concurrency: {
    kinds: STAGES,
    type: 'integer',
    default: 1,
    min: 1,
    max: 256,
    unit: 'workers',
    text: 'Workers (threads) of the stage.',
  },
  latencyMs: {
    kinds: NODE_KINDS,
    type: 'number',
    min: 0,
    unit: 'ms',
    text: 'Declared service time of one record. Analysis and rehearsal use it.',
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
    text: 'The handler burns a core for its `latencyMs` (true) or waits (false).',
  },
  restart: {
    kinds: STAGES,
    type: 'object',
    fields: RESTART_OPTIONS,
    text: 'How dead workers are replaced. Default: as the run says.',
  },
  resourceLimits: { kinds: STAGES, type: 'object', fields: HEAP_LIMITS, text: 'Heap limits of each worker.' },
  setup: {
    kinds: STAGES,
    type: 'handler',
    text: 'Called once in each worker before its first record; its result is `context.state`.',
  },
  teardown: { kinds: STAGES, type: 'handler', text: 'Called once in each worker after its last record.' },

  rate: {
    kinds: ['source'],
    type: 'number',
    min: 0,
    unit: 'records/s',
    text: 'Declared rate, for analysis and rehearsal. It limits nothing.',
  },
  rateLimit: {
    kinds: ['source'],
    type: 'number',
    above: 0,
    unit: 'records/s',
    text: 'Most records per second that the stage hands on, all its workers together. Default: no limit.',
  },
  window: {
    kinds: ['source'],
    type: 'integer',
    default: 16_384,
    min: 1,
    max: 1_048_576,
    unit: 'records',
    text: 'Source records of each worker that may be on their way at once.',
  },
  granule: {
    kinds: ['source'],
    type: 'integer',
    min: 1,
    max: 16_384,
    unit: 'records',
    default: { when: ['ack', 'push'], is: 1, else: 512 },
    text: 'Most source records that share a slot.',
  },
  trace: {
    kinds: ['source'],
    type: 'handler',
    text: '(record) => boolean | number: whether the granule of this record is traced, or the chance that it is. Asked only where the run has the option `trace`.',
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
    text: 'Returns at most so many records as asked for, or `null` at the end.',
  },
  pollSize: {
    kinds: ['source'],
    type: 'integer',
    default: 512,
    min: 1,
    max: 1_048_576,
    unit: 'records',
    text: 'Most records that one call of `poll` is asked for. The window, the credit from below and `rateLimit` may ask for fewer.',
  },
  pollMs: {
    kinds: ['source'],
    type: 'number',
    default: 10,
    min: 0,
    max: 3_600_000,
    unit: 'ms',
    text: 'Pause before `poll` is called again after an empty answer.',
  },
  push: { kinds: ['source'], type: 'boolean', isWork: true, default: false, text: 'Fed by `pipeline.push`.' },
  ack: {
    kinds: ['source'],
    type: 'handler',
    text: 'Learns the receipts of records that ended well, and of those that failed.',
  },

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
    text: 'One record in, one out, which belongs to the pipeline from then on: a new object for each.',
  },
  flatMap: {
    kinds: ['transform'],
    type: 'handler',
    isWork: true,
    text: 'One record in, any number out, which belong to the pipeline from then on.',
  },
  filter: {
    kinds: ['transform'],
    type: 'handler',
    isWork: true,
    text: 'Keeps the records for which it returns true; those with false are left out.',
  },
  mapBatch: { kinds: ['transform'], type: 'handler', isWork: true, text: 'A batch in, any number of records out.' },
  write: {
    kinds: ['sink'],
    type: 'handler',
    isWork: true,
    text: 'Takes each record, or each batch where `batch` is given.',
  },
  route: { kinds: ['conditional'], type: 'handler', isWork: true, text: 'Names the branch of a record.' },

  maxInFlight: {
    kinds: INPUTS,
    type: 'integer',
    min: 1,
    max: 65_536,
    unit: 'calls',
    default: { when: ['batch', 'mapBatch'], is: 1, else: 16 },
    text: 'Open calls of an async handler per worker.',
  },
  ordered: {
    kinds: INPUTS,
    type: 'boolean',
    default: false,
    text: 'Keeps the order of the input (of each key with `partitionBy`), async and retried calls included.',
  },
  dispatch: {
    kinds: INPUTS,
    type: 'oneOf',
    values: DISPATCHES,
    default: { when: ['partitionBy'], is: 'partition', else: 'demand' },
    text: 'How records are spread over the workers of this stage.',
  },
  partitionBy: { kinds: INPUTS, type: 'handler', text: 'Key of a record; records of one key visit the same worker.' },
  batch: { kinds: INPUTS, type: 'object', fields: BATCH_OPTIONS, text: 'Hands records over in batches.' },
  retry: {
    kinds: INPUTS,
    type: 'object',
    fields: RETRY_OPTIONS,
    text: 'How failed records or batches are tried again.',
  },
  timeoutMs: {
    kinds: INPUTS,
    type: 'number',
    above: 0,
    max: 86_400_000,
    unit: 'ms',
    text: 'Longest time of one call of the handler. Default: no limit.',
  },
  maxCrashes: {
    kinds: STAGES,
    type: 'integer',
    default: 2,
    min: 1,
    max: 100,
    unit: 'deaths',
    text: 'A record in hand at so many deaths of its worker is given up: while it is read, handled, routed or sent.',
  },

  capacity: {
    kinds: ['buffer'],
    type: 'integer',
    default: 1_000,
    min: 1,
    max: 16_777_216,
    unit: 'records',
    text: 'Records that the buffer holds.',
  },
  whenFull: {
    kinds: ['buffer'],
    type: 'oneOf',
    values: WHEN_FULL,
    default: 'block',
    text: 'What happens with a record when the buffer is full.',
  },
} as const satisfies OptionTable

type Table = typeof NODE_OPTIONS
/** Options that say what a node does. */
export type WorkOption = { [K in keyof Table]: Table[K] extends { isWork: true } ? K : never }[keyof Table]
/** All of them, in the order of the table. */
export const WORK_OPTIONS: readonly WorkOption[] = Object.entries<OptionTable[string]>(NODE_OPTIONS).flatMap(
  ([name, { isWork }]) => (isWork === true ? [name as WorkOption] : []),
)
