import { channel } from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import { inWords } from '../errors.ts'
import { wallMs } from '../time.ts'

/** Every event of a pipeline and its fields, beside `pipeline` and `time` (ms since 1970). `docs/events.md` is printed from it. */
export const EVENTS = {
  'pipeline.started': {
    text: 'All workers are ready, and the pipeline runs.',
    fields: { stages: 'number of stages', workers: 'number of workers' },
  },
  'pipeline.draining': { text: 'Sources no longer produce records.', fields: {} },
  'pipeline.drainProgress': {
    text: 'Each second while the pipeline drains: how many records are left.',
    fields: {
      left: 'source records in flight',
      atFirst: 'the same when the drain began',
      forMs: 'time since the drain began',
      leftMs: 'time until its deadline',
    },
  },
  'pipeline.drained': { text: 'All source records are acked or nacked.', fields: {} },
  'pipeline.stalled': {
    text: 'Records are in flight, but none has moved for `stallMs`. If a batch or a retry waits, the time starts after it.',
    fields: { inFlight: 'records in flight', forMs: 'time without progress' },
  },
  'pipeline.finished': { text: 'The pipeline finished without an error.', fields: { report: 'the report' } },
  'pipeline.failed': {
    text: 'The pipeline finished with an error.',
    fields: { error: 'the error', report: 'the report' },
  },
  'journal.opened': {
    text: 'The ingress journal of a durable run was opened.',
    fields: {
      records: 'records of an earlier process that are delivered again',
      cursors: 'sources that go on at their watermark, by worker',
      tornBytes: 'bytes that an earlier process had not finished writing',
    },
  },
  'journal.full': {
    text: 'The disk is full: pushes are rejected until there is room.',
    fields: { error: 'name, message, code' },
  },
  'journal.failed': {
    text: 'The disk of the ingress journal failed: all further pushes are rejected.',
    fields: { error: 'name, message, code' },
  },
  'worker.started': {
    text: 'The thread of a worker started.',
    fields: {
      node: 'node id',
      worker: 'index in the stage',
      epoch: 'number of the thread of this worker: it grows with each restart',
      threadId: 'thread id',
    },
  },
  'worker.ready': {
    text: 'A worker finished its `setup` and is ready.',
    fields: {
      node: 'node id',
      worker: 'index in the stage',
      epoch: 'number of the thread of this worker: it grows with each restart',
      tookMs: 'time since its start',
    },
  },
  'worker.died': {
    text: 'A worker crashed: its thread ended while it was needed.',
    fields: {
      node: 'node id',
      worker: 'index in the stage',
      epoch: 'number of the thread of this worker: it grows with each restart',
      cause: 'the error',
      finishedHandoff: 'whether the supervisor completed a hand-off of the worker',
      inHand: 'number of records or batches in progress',
      counts: 'whether the crash counts against the restart limit',
    },
  },
  'worker.restarted': {
    text: 'A new worker replaced a crashed one and is running.',
    fields: {
      node: 'node id',
      worker: 'index in the stage',
      epoch: 'number of the thread of this worker: it grows with each restart',
      tookMs: 'time since the crash was noticed',
    },
  },
  'worker.hung': {
    text: 'A handler call took longer than `timeoutMs`, or the replacement of a crashed worker was not ready within `startDeadlineMs`. The thread is terminated.',
    fields: {
      node: 'node id',
      worker: 'index in the stage',
      epoch: 'number of the thread of this worker: it grows with each restart',
      forMs: 'duration of the call or of the start',
    },
  },
  'worker.degraded': {
    text: 'A worker waits for something outside the pipeline: a server that is away, say.',
    fields: {
      node: 'node id',
      worker: 'index in the stage',
      epoch: 'number of the thread of this worker: it grows with each restart',
      reason: 'what it waits for, in words',
    },
  },
  'worker.recovered': {
    text: 'A worker no longer waits for something outside.',
    fields: {
      node: 'node id',
      worker: 'index in the stage',
      epoch: 'number of the thread of this worker: it grows with each restart',
    },
  },
  'stage.resized': {
    text: 'A stage has another number of workers. The keys that moved are with their new workers.',
    fields: { node: 'node id', from: 'workers before', to: 'workers now', tookMs: 'time since it was asked for' },
  },
  'scale.changed': {
    text: 'A stage with `scale` gets another number of workers. `stage.resized` follows when it has them.',
    fields: {
      node: 'node id',
      from: 'workers before',
      to: 'workers now',
      reason:
        '`short`: its load asks for more; `idle`: fewer are enough; `undone`: an earlier change brought too little',
      load: 'what its workers would have to do, by what they can do',
      perSecond: 'records per second that the sources make',
      promisedPerSecond: 'the same with the new number of workers, as predicted',
    },
  },
  'scale.judged': {
    text: 'What changes of workers brought, beside what was predicted. What brought too little is undone.',
    fields: {
      nodes: 'node ids of the stages that were changed together',
      kept: 'whether they stay as they are',
      by: 'what `promised` and `brought` are factors of: `throughput`, records that the sources make; or `capacity`, records that the stage can take, if the sources were not held up',
      promised: 'predicted factor',
      brought: 'measured factor',
      promisedPerSecond: 'records per second that the sources make, as predicted',
      perSecond: 'records per second that the sources make now',
    },
  },
  'scale.refused': {
    text: 'A stage with `scale` is short of workers and gets none. Emitted when the reason changes.',
    fields: {
      node: 'node id',
      workers: 'workers that it has',
      wanted: 'workers that it wants, within its bounds',
      reason:
        '`max`, `cores`, `blocked`, `useless`, `tried` (see `docs/pipelines.md`), or `failed`: a worker could not start',
      error: 'with `failed`: the error',
    },
  },
  'stage.probed': {
    text: 'A probe of a stage is over: what it would bring if the stage were quicker.',
    fields: {
      node: 'node id',
      speedup: 'part of its time by which it was made quicker, virtually',
      before: 'source records per second that ended without',
      after: 'the same with a stage so much quicker',
      measured: '`after` by `before`',
      predicted: 'the same as predicted from what was measured',
    },
  },
  'stage.gaveUp': {
    text: 'The workers of a stage crashed too often, or on too many records. `restart.exhausted` decides what happens.',
    fields: { node: 'node id', deaths: 'crashes within `restart.withinMs`', cause: 'the last error' },
  },
  'stage.detached': {
    text: 'A stage crashed too often and is detached, as `restart.exhausted` says: its records fail, the rest goes on.',
    fields: { node: 'node id', cause: 'the error with which the pipeline would have stopped' },
  },
  'stage.attached': { text: 'A detached stage works again.', fields: { node: 'node id' } },
  'record.retried': {
    text: 'A record or batch failed and is retried.',
    fields: {
      node: 'node id',
      worker: 'index in the stage',
      epoch: 'number of the thread of this worker: it grows with each restart',
      attempts: 'handler calls so far',
      error: 'name, message, code',
      suppressed: 'number of events of this kind that were left out before this one',
    },
  },
  'record.deadLettered': {
    text: 'A record failed at its last attempt and was sent to an error or dead-letter edge.',
    fields: {
      node: 'node id',
      worker: 'index in the stage',
      epoch: 'number of the thread of this worker: it grows with each restart',
      recordId: 'stable id of the record',
      attempts: 'handler calls so far',
      error: 'name, message, stack, code',
      suppressed: 'number of events of this kind that were left out before this one',
    },
  },
  'record.failed': {
    text: 'A record failed at its last attempt and was nacked, because no error or dead-letter edge takes it.',
    fields: {
      node: 'node id',
      worker: 'index in the stage',
      epoch: 'number of the thread of this worker: it grows with each restart',
      recordId: 'stable id of the record',
      attempts: 'handler calls so far',
      error: 'name, message, stack, code',
      suppressed: 'number of events of this kind that were left out before this one',
    },
  },
  'record.dropped': {
    text: 'A buffer dropped records, as `whenFull` says. Emitted at most four times a second for each edge.',
    fields: {
      edge: 'index of the edge in the graph',
      from: 'node id',
      to: 'node id of the buffer',
      records: 'records dropped since the last event of this kind',
      total: 'records dropped since the start',
    },
  },
  'breaker.opened': {
    text: 'A handler failed in this number of calls in a row, and its worker makes a pause, as `breaker` says.',
    fields: {
      node: 'node id',
      worker: 'index in the stage',
      epoch: 'number of the thread of this worker: it grows with each restart',
      attempts: 'failed calls in a row',
      error: 'name, message, code of the last failure',
    },
  },
  'breaker.closed': {
    text: 'After a pause a call ended well, and the worker goes on.',
    fields: {
      node: 'node id',
      worker: 'index in the stage',
      epoch: 'number of the thread of this worker: it grows with each restart',
      attempts: 'failed calls in a row before that',
      error: 'name, message, code of the last failure',
    },
  },
  'ack.failed': {
    text: 'An `ack` handler failed at every attempt. Its records count as reported.',
    fields: {
      node: 'node id',
      worker: 'index in the stage',
      epoch: 'number of the thread of this worker: it grows with each restart',
      attempts: 'handler calls',
      error: 'name, message, code',
      suppressed: 'number of events of this kind that were left out before this one',
    },
  },
  'trace.failed': {
    text: 'A `trace` predicate threw. It chooses nothing then; the record goes on.',
    fields: {
      node: 'node id',
      worker: 'index in the stage',
      epoch: 'number of the thread of this worker: it grows with each restart',
      attempts: 'always 1',
      error: 'name, message, code',
      suppressed: 'number of events of this kind that were left out before this one',
    },
  },
  'source.paused': { text: 'A source was paused: it makes no records.', fields: { node: 'node id' } },
  'source.resumed': { text: 'A source was resumed.', fields: { node: 'node id' } },
} as const satisfies Record<string, { text: string; fields: Record<string, string> }>

/** The name of an event. */
export type EventName = keyof typeof EVENTS

/** One event: its name, its pipeline, its time in ms since 1970, and its fields. */
export interface PipelineEvent {
  readonly name: EventName
  readonly pipeline: string
  readonly time: number
  readonly [field: string]: unknown
}

/** Tells events to listeners of the pipeline, and to the `diagnostics_channel` of the same name under `millrace.`. */
export class Events {
  readonly #emitter = new EventEmitter()
  readonly #pipeline: string

  constructor(pipeline: string) {
    this.#pipeline = pipeline
    this.#emitter.setMaxListeners(0)
  }

  /** Listens to one event, or to all of them (`*`). Returns what ends the listening. A listener that throws is dropped. */
  on(name: EventName | '*', listener: (event: PipelineEvent) => void): () => void {
    const safe = (event: PipelineEvent): void => {
      try {
        listener(event)
      } catch (error) {
        this.#emitter.off(name, safe)
        process.emitWarning(`A listener of ${name} threw and was dropped: ${inWords(error)}`, 'MillraceWarning')
      }
    }
    this.#emitter.on(name, safe)
    return () => this.#emitter.off(name, safe)
  }

  emit(name: EventName, fields: Readonly<Record<string, unknown>> = {}): void {
    const event: PipelineEvent = { name, pipeline: this.#pipeline, time: wallMs(), ...fields }
    this.#emitter.emit(name, event)
    this.#emitter.emit('*', event)
    const target = channel(`millrace.${name}`)
    if (target.hasSubscribers) target.publish(event)
  }
}
