import type { BATCH_OPTIONS, EDGE_OPTIONS, NODE_OPTIONS, RUN_OPTIONS } from '../options/index.ts'

/**
 * What the predictions make of one option: `modelled`, its value changes what they say; `assumed`, where a graph gives it they
 * say in `assumptions` what they take for granted instead; `nothing`, it has no part in rates, times or room.
 */
export interface Treatment {
  readonly is: 'modelled' | 'assumed' | 'nothing'
  /** Where it counts, or what is assumed, as a sentence without its subject. */
  readonly text: string
}

const modelled = (text: string): Treatment => ({ is: 'modelled', text })
const assumed = (text: string): Treatment => ({ is: 'assumed', text })
const nothing = (text: string): Treatment => ({ is: 'nothing', text })
const DRAWN: Treatment = nothing('drawings')
const HANDLER: Treatment = nothing('the graph declares its time and its results')

/** Every option of nodes; those of `batch`, and those of a limit that make it one by key, by themselves. */
export const NODE_TREATMENT: Readonly<
  Record<
    | Exclude<keyof typeof NODE_OPTIONS, 'batch'>
    | `batch.${keyof typeof BATCH_OPTIONS}`
    | 'rateLimit.by'
    | 'rateLimit.keys',
    Treatment
  >
> = {
  label: DRAWN,
  description: DRAWN,
  cluster: DRAWN,
  shape: DRAWN,
  fillcolor: DRAWN,
  fontcolor: DRAWN,
  style: DRAWN,
  penwidth: DRAWN,
  image: DRAWN,
  concurrency: modelled('service rate, windows, room, deadlock'),
  maxConcurrency: assumed('no stage is resized'),
  scale: assumed('its workers are its `concurrency`, or else `scale.min`'),
  latencyMs: modelled('service rate, latency, window; for nodes without threads, a delay'),
  serviceRate: modelled('service rate'),
  cpu: modelled('cores'),
  restart: assumed('no worker crashes'),
  resourceLimits: assumed('no worker runs out of memory'),
  setup: HANDLER,
  teardown: HANDLER,
  rate: modelled('what a source offers'),
  rateLimit: modelled('what a source offers at most; service rate of other stages'),
  'rateLimit.by': assumed('no key comes more often than its limit allows'),
  'rateLimit.keys': nothing('see `rateLimit.by`'),
  window: modelled('rate by Little’s law, forecast, reach of buffers, deadlock'),
  chunk: modelled('deadlock; rates assume that records travel one by one'),
  pollSize: assumed('a call of `poll` returns as many records as there is room for'),
  pollMs: assumed('a source always has records when the graph can take them'),
  metaBytes: assumed('no record expires'),
  trace: nothing('tracing has no part in predictions'),
  produce: HANDLER,
  poll: HANDLER,
  push: modelled('one worker'),
  finish: HANDLER,
  ack: assumed('`ack` takes no time'),
  ackBy: nothing('see `ack`'),
  ackRetry: nothing('see `ack`'),
  ackInFlight: nothing('see `ack`'),
  reasonBytes: nothing('what `ack` learns of failures'),
  selectivity: modelled('traffic equations, deadlock'),
  map: HANDLER,
  flatMap: HANDLER,
  filter: HANDLER,
  mapBatch: modelled('a batch, as with `batch`'),
  mapEach: modelled('a batch, as with `batch`'),
  write: HANDLER,
  route: HANDLER,
  maxInFlight: modelled('service rate of stages that wait'),
  preload: assumed('the declared time of a record includes its part of `preload`'),
  preloadSize: nothing('see `preload`'),
  ordered: assumed('all calls take the same time, so keeping the order holds up no call'),
  dispatch: modelled('copies of a broadcast, deadlock; otherwise all workers get the same number of records'),
  partitionBy: assumed('keys are spread evenly over the workers'),
  retry: assumed(
    'the declared time includes all attempts of a record, and a declared `ratio` of failures is the share that fails after them',
  ),
  breaker: assumed('no stage pauses because its handler fails'),
  stashBytes: nothing('records that wait in a stash have room there'),
  timeoutMs: assumed('no call exceeds its timeout'),
  maxCrashes: assumed('no record crashes its worker'),
  capacity: modelled('buffers, forecast, deadlock'),
  whenFull: modelled('what a full buffer drops'),
  via: modelled('windows end at it; the broker itself takes no time'),
  'batch.size': modelled('waiting and time in a batch, window, sizing, deadlock'),
  'batch.timeoutMs': modelled('waiting in an open batch, window'),
  'batch.idleMs': assumed('no batch completes because no records come'),
  'batch.weigh': assumed('`size` and `timeoutMs` complete batches, not the weight of their records'),
  'batch.weight': nothing('see `weigh`'),
  'batch.maxWeight': nothing('see `weigh`'),
  'batch.by': assumed('batches by key fill like other batches'),
  'batch.of': assumed('batches have `size` records'),
  'batch.instead': nothing('records that wait in a stash have room there'),
  'batch.maxOpen': nothing('see `by`'),
  'batch.serial': assumed('batches of a key do not wait for each other'),
}

/** Every option of edges. */
export const EDGE_TREATMENT: Readonly<Record<keyof typeof EDGE_OPTIONS, Treatment>> = {
  pathType: modelled('shares: results, or failures'),
  nack: assumed('a source does not deliver nacked records again'),
  when: modelled('shares: branches'),
  dataType: nothing('validation'),
  label: DRAWN,
  rate: nothing('shown beside the predicted rate, and in `drift`'),
  ratio: modelled('shares'),
  weight: modelled('latency, window'),
  codec: assumed('the declared time of a record includes its encoding'),
  maxDemand: modelled('room, forecast, deadlock'),
  minDemand: modelled('deadlock; rates assume that credit is granted record by record'),
  laneBytes: modelled('deadlock; otherwise lanes have bytes for the records that they hold'),
  capture: nothing('content of trace events'),
  redact: HANDLER,
  selector: assumed(
    'every worker gets every record of a broadcast; the declared `ratio` of other edges is the share that takes them',
  ),
  fuse: modelled('service rate: the workers of both are the same'),
}

/** Every option of a run. */
export const RUN_TREATMENT: Readonly<Record<keyof typeof RUN_OPTIONS, Treatment>> = {
  deadlineMs: nothing('how it stops'),
  startDeadlineMs: nothing('how it starts'),
  maxDemand: modelled('the option `maxDemand` of `forecast` and `deadlock`'),
  laneBytes: nothing('lanes of loops are sized separately; otherwise as `laneBytes` of an edge'),
  stashBytes: nothing('records that wait in a stash have room there'),
  maxMemoryBytes: nothing('lanes have bytes for the records that they hold'),
  maxRecordBytes: nothing('no record is larger'),
  restart: nothing('as `restart` of a node'),
  defaults: nothing('they count as options of the nodes'),
  stallMs: nothing('events'),
  trace: nothing('tracing has no part in predictions'),
  part: nothing('`simulate` predicts all parts together, and lists each'),
  durable: nothing('a push waits for the disk before it waits for credit: what is offered comes later'),
  inject: modelled('the option `injected` of `deadlock`'),
  paused: nothing('how it starts'),
  deadLetters: nothing('kept dead letters'),
  deadLetterBytes: nothing('kept dead letters'),
  params: nothing('what handlers read'),
  workerModule: nothing('how it starts'),
  loader: nothing('how it starts'),
  signal: nothing('how it stops'),
}
