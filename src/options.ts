import type { NodeKind } from './graph/types.ts'
import { CODEC_NAMES, DISPATCHES, PATH_TYPES } from './graph/types.ts'

/**
 * What one option may be. `docs/options.md` is printed from these tables, the validation reads them, and the defaults
 * stand nowhere else. A number is finite; `min` and `max` are included.
 */
export interface OptionSpec {
  readonly type:
    | 'integer'
    | 'number'
    | 'boolean'
    | 'string'
    | 'strings'
    | 'handler'
    | 'oneOf'
    | 'object'
    | 'codec'
    | 'signal'
    | 'clonable'
  readonly text: string
  readonly default?: number | boolean | string
  readonly unit?: string
  readonly min?: number
  readonly max?: number
  /** Of a number: the value itself is not allowed, only more. */
  readonly above?: number
  readonly values?: readonly string[]
  readonly fields?: Readonly<Record<string, OptionSpec>>
  /** Node options: the kinds that take it. Absent: every kind. */
  readonly kinds?: readonly NodeKind[]
}
/** Options by name. */
export type OptionTable = Readonly<Record<string, OptionSpec>>

const STAGES: readonly NodeKind[] = ['source', 'transform', 'sink']
const INPUTS: readonly NodeKind[] = ['transform', 'sink']

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

export const RESTART_OPTIONS = {
  backoffMs: {
    type: 'number',
    default: 10,
    min: 0,
    max: 3_600_000,
    unit: 'ms',
    text: 'Delay before the second restart within the window; it doubles from there. The first restart does not wait.',
  },
  maxBackoffMs: {
    type: 'number',
    default: 5_000,
    min: 0,
    max: 3_600_000,
    unit: 'ms',
    text: 'Longest delay before a restart.',
  },
  maxRestarts: {
    type: 'integer',
    default: 5,
    min: 0,
    unit: 'restarts',
    text: 'Restarts of the stage within the window; one more stops the pipeline.',
  },
  withinMs: { type: 'number', default: 30_000, above: 0, unit: 'ms', text: 'The window.' },
  maxPoison: {
    type: 'number',
    default: 0.5,
    min: 0,
    max: 1,
    text: 'Share of the last 20 records (or batches) in hand that may kill their worker and be given up; more stop the pipeline. 1: any number may.',
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
    kinds: ['source', 'transform', 'buffer', 'conditional', 'merge', 'sink'],
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
    text: 'Most records per second that the stage hands on. Default: no limit.',
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
    text: 'Most source records that share a slot. Default: 512; 1 where `ack` is given.',
  },
  produce: { kinds: ['source'], type: 'handler', text: 'Returns an iterable or async iterable of records.' },
  poll: {
    kinds: ['source'],
    type: 'handler',
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
  push: { kinds: ['source'], type: 'boolean', default: false, text: 'Fed by `pipeline.push`.' },
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
    text: 'One record in, one out, which belongs to the pipeline from then on: a new object for each.',
  },
  flatMap: {
    kinds: ['transform'],
    type: 'handler',
    text: 'One record in, any number out, which belong to the pipeline from then on.',
  },
  filter: {
    kinds: ['transform'],
    type: 'handler',
    text: 'Keeps the records for which it returns true; those with false are left out.',
  },
  mapBatch: { kinds: ['transform'], type: 'handler', text: 'A batch in, any number of records out.' },
  write: { kinds: ['sink'], type: 'handler', text: 'Takes each record, or each batch where `batch` is given.' },
  route: { kinds: ['conditional'], type: 'handler', text: 'Names the branch of a record.' },

  maxInFlight: {
    kinds: INPUTS,
    type: 'integer',
    min: 1,
    max: 65_536,
    unit: 'calls',
    text: 'Open calls of an async handler per worker. Default: 16; 1 where `batch` is given.',
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
    default: 'demand',
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
    kinds: ['source', ...INPUTS],
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
    values: ['block', 'dropNewest', 'dropOldest'],
    default: 'block',
    text: 'What happens with a record when the buffer is full.',
  },
} as const satisfies OptionTable

/** Options of edges. */
export const EDGE_OPTIONS = {
  pathType: { type: 'oneOf', values: PATH_TYPES, default: 'normal', text: 'What the edge is for.' },
  when: { type: 'string', text: 'The branch whose records take this edge.' },
  dataType: { type: 'string', text: 'What the edge carries, in words.' },
  label: { type: 'string', text: 'Text in drawings. Default: `dataType`.' },
  rate: { type: 'number', min: 0, unit: 'records/s', text: 'Declared rate; compared with the simulated one.' },
  ratio: { type: 'number', min: 0, max: 1, text: 'Declared share of the node’s records that take this edge.' },
  weight: { type: 'number', min: 0, default: 0, unit: 'ms', text: 'Declared time that the edge itself adds.' },
  codec: { type: 'codec', values: CODEC_NAMES, default: 'shape', text: 'How records are written to the lanes.' },
  maxDemand: {
    type: 'integer',
    min: 1,
    max: 16_777_216,
    unit: 'records',
    text: 'Most records on each lane at once. Default: as the run says, or the buffer’s capacity.',
  },
  minDemand: {
    type: 'integer',
    min: 0,
    unit: 'records',
    text: 'The reader grants more when it has granted no more than this. Default: half of `maxDemand`.',
  },
  laneBytes: {
    type: 'integer',
    min: 1_024,
    max: 536_870_912,
    unit: 'bytes',
    text: 'Bytes of each lane’s ring, rounded up to a power of two. Default: as the run says.',
  },
  selector: {
    type: 'handler',
    text: 'With `dispatch: broadcast`: tells, from the record and the worker’s index, whether that worker gets it.',
  },
  fuse: {
    type: 'boolean',
    default: false,
    text: 'Runs the next node in this node’s workers, without a lane between them.',
  },
} as const satisfies OptionTable

/** Options of clusters. */
export const CLUSTER_OPTIONS = {
  label: { type: 'string', text: 'Name in drawings. Default: the id.' },
  parent: { type: 'string', text: 'Id of the cluster that holds this one.' },
  style: { type: 'string', text: 'Graphviz style.' },
  fillcolor: { type: 'string', text: 'Fill.' },
  color: { type: 'string', text: 'Border.' },
} as const satisfies OptionTable

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
    default: 4_096,
    min: 1,
    max: 16_777_216,
    unit: 'records',
    text: 'Most records on a lane at once, where the edge and its buffers say nothing.',
  },
  laneBytes: {
    type: 'integer',
    default: 262_144,
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
    text: 'Most shared memory that the plan may take. Lanes of the default size get smaller before a plan is refused. Where the run says nothing, `run` takes half of what the process may use (`availableMemory()`) if that is less.',
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

/** Options of the control API. */
export const CONTROL_OPTIONS = {
  token: {
    type: 'string',
    text: 'What readers and actors have to send as `authorization: Bearer TOKEN`. Default: none is asked for.',
  },
  showRecords: {
    type: 'boolean',
    default: false,
    text: 'Shows what records hold: dead letters with their input, and the texts of errors, which may quote them.',
  },
  actsPerSecond: {
    type: 'number',
    default: 10,
    above: 0,
    max: 10_000,
    unit: 'acts/s',
    text: 'Acts of one kind on one pipeline that are taken in the long run; twice as many at once. No kind waits for another.',
  },
  maxBodyBytes: {
    type: 'integer',
    default: 1_048_576,
    min: 1_024,
    max: 67_108_864,
    unit: 'bytes',
    text: 'Largest body of a request.',
  },
  hosts: {
    type: 'strings',
    text: 'Names under which the API may be asked without a token, beside those of this machine. Default: none.',
  },
  keptKeys: {
    type: 'integer',
    default: 10_000,
    min: 1,
    max: 1_000_000,
    unit: 'keys',
    text: 'Keys of pushed records that a pipeline remembers. A key that was forgotten lets its record in again.',
  },
  keptEvents: {
    type: 'integer',
    default: 1_000,
    min: 1,
    max: 100_000,
    unit: 'events',
    text: 'Events of a pipeline that are kept for readers that come back.',
  },
  maxReaders: {
    type: 'integer',
    default: 2_000,
    min: 1,
    max: 100_000,
    unit: 'readers',
    text: 'Readers that may follow the events at once.',
  },
} as const satisfies OptionTable

/** Options of the control API as a server of its own, beside those above. */
export const SERVE_OPTIONS = {
  host: {
    type: 'string',
    default: '127.0.0.1',
    text: 'Address to listen at. Another than this machine’s own needs a token.',
  },
  port: { type: 'integer', default: 4_480, min: 0, max: 65_535, text: 'Port to listen at; 0: any that is free.' },
} as const satisfies OptionTable

/** Options of `handleSignals`, beside its `server`, `logger` and `exit`. */
export const SIGNAL_OPTIONS = {
  signals: { type: 'strings', text: 'Signals that end the process. Default: `SIGTERM` and `SIGINT`.' },
  graceMs: {
    type: 'integer',
    default: 30_000,
    min: 100,
    max: 86_400_000,
    unit: 'ms',
    text: 'Time from the first signal until the process has exited. Set it to what the platform allows, less a second: Kubernetes kills after 30 s, Docker after 10 s, PM2 after 1.6 s.',
  },
  delayMs: {
    type: 'integer',
    default: 0,
    min: 0,
    max: 3_600_000,
    unit: 'ms',
    text: 'Time from the first signal until the server closes. Readiness is false at once, so a load balancer has this time to notice. Part of `graceMs`.',
  },
} as const satisfies OptionTable

type Value<S extends OptionSpec> = S extends { values: readonly (infer V)[]; type: 'oneOf' }
  ? V
  : S extends { type: 'integer' | 'number' }
    ? number
    : S extends { type: 'boolean' }
      ? boolean
      : S extends { type: 'string' }
        ? string
        : S extends { type: 'strings' }
          ? readonly string[]
          : S extends { fields: infer F extends OptionTable }
            ? Resolved<F>
            : unknown

/** Options after `resolve`: what has a default is there. */
export type Resolved<T extends OptionTable> = {
  readonly [K in keyof T as T[K] extends { default: unknown } | { fields: OptionTable } ? K : never]: Value<T[K]>
} & { readonly [K in keyof T as T[K] extends { default: unknown } | { fields: OptionTable } ? never : K]?: Value<T[K]> }

/** Fills the defaults of a table in, nested tables too. The given options are valid: `validate` has looked at them. */
export function resolve<T extends OptionTable>(table: T, given: object = {}): Resolved<T> {
  const entries = Object.entries(table as OptionTable).flatMap(([name, spec]) => {
    const value: unknown = Reflect.get(given, name)
    if (spec.fields !== undefined) return [[name, resolve(spec.fields, value ?? {})]]
    return value === undefined && spec.default === undefined ? [] : [[name, value ?? spec.default]]
  })
  return Object.freeze(Object.fromEntries(entries)) as Resolved<T>
}
