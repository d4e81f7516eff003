import { channel } from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import { inWords } from '../errors.ts'
import { wallMs } from '../time.ts'

/** Every event of a pipeline and its fields, beside `pipeline` and `time` (ms since 1970). `docs/events.md` is printed from it. */
export const EVENTS = {
  'pipeline.started': {
    text: 'All workers are ready, and records flow.',
    fields: { stages: 'number of stages', workers: 'number of workers' },
  },
  'pipeline.draining': { text: 'Sources make no more records.', fields: {} },
  'pipeline.drained': { text: 'All source records have ended.', fields: {} },
  'pipeline.stalled': {
    text: 'Records are in flight, and none has moved for `stallMs`, nor for longer than an open batch or a retry may wait.',
    fields: { inFlight: 'records in flight', forMs: 'time without a move' },
  },
  'pipeline.finished': { text: 'The pipeline has ended well.', fields: { report: 'the report' } },
  'pipeline.failed': {
    text: 'The pipeline has ended with an error.',
    fields: { error: 'the error', report: 'the report' },
  },
  'worker.started': {
    text: 'A thread has taken its task.',
    fields: { node: 'node id', worker: 'index in the stage', epoch: 'which life', threadId: 'thread id' },
  },
  'worker.ready': {
    text: 'A worker is set up.',
    fields: { node: 'node id', worker: 'index in the stage', epoch: 'which life', tookMs: 'time since its start' },
  },
  'worker.died': {
    text: 'A thread has ended in the middle of its work.',
    fields: {
      node: 'node id',
      worker: 'index in the stage',
      epoch: 'which life',
      cause: 'the error',
      finishedHandoff: 'a hand-off was finished for it',
      inHand: 'records or batches that were in hand',
      counts: 'whether the death counts against the budget',
    },
  },
  'worker.restarted': {
    text: 'A successor is at work.',
    fields: {
      node: 'node id',
      worker: 'index in the stage',
      epoch: 'which life',
      tookMs: 'time since the death was known',
    },
  },
  'worker.hung': {
    text: 'A call took longer than `timeoutMs`, or a successor was not ready within `startDeadlineMs`: its thread is terminated.',
    fields: { node: 'node id', worker: 'index in the stage', epoch: 'which life', forMs: 'time of the call or start' },
  },
  'stage.gaveUp': {
    text: 'The workers of a stage died too often, or with too many of the records in hand.',
    fields: { node: 'node id', deaths: 'deaths within the window', cause: 'the last error' },
  },
  'record.retried': {
    text: 'A record or batch failed and is tried again.',
    fields: {
      node: 'node id',
      worker: 'index in the stage',
      epoch: 'which life',
      attempts: 'calls so far',
      error: 'name, message, code',
      suppressed: 'events like this one that were left out before it',
    },
  },
  'record.deadLettered': {
    text: 'A record was given up, and went to an error or dead-letter edge.',
    fields: {
      node: 'node id',
      worker: 'index in the stage',
      epoch: 'which life',
      recordId: 'stable id of the record',
      attempts: 'calls so far',
      error: 'name, message, stack, code',
      suppressed: 'events like this one that were left out before it',
    },
  },
  'record.failed': {
    text: 'A record was given up and nacked: no edge takes it.',
    fields: {
      node: 'node id',
      worker: 'index in the stage',
      epoch: 'which life',
      recordId: 'stable id of the record',
      attempts: 'calls so far',
      error: 'name, message, stack, code',
      suppressed: 'events like this one that were left out before it',
    },
  },
  'record.dropped': {
    text: 'A buffer dropped records, by its policy. Told at most four times a second for each edge.',
    fields: {
      edge: 'index of the edge in the graph',
      from: 'node id',
      to: 'node id of the buffer',
      records: 'records since the last such event',
      total: 'records since the start',
    },
  },
  'ack.failed': {
    text: 'An `ack` handler failed at every attempt; its records count as told.',
    fields: {
      node: 'node id',
      worker: 'index in the stage',
      epoch: 'which life',
      attempts: 'calls',
      error: 'name, message, code',
      suppressed: 'events like this one that were left out before it',
    },
  },
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
