/** NATS JetStream as a source and as a sink: entry point `millrace/nats`. The client is loaded by the workers that need it. */
import type { SinkWriteOptions, SourceOptions } from '../../graph/types.ts'
import { type Given, NATS_SINK_OPTIONS, NATS_SOURCE_OPTIONS, type WithoutHandlers } from '../../options/index.ts'
import { checked } from '../core/checked.ts'
import { type MessageQueue, queueSource } from '../core/queue.ts'
import { type Outbox, publisherSink } from '../core/sink.ts'
import { fromJson, type NatsMessage } from './message.ts'
import { NatsPublisher } from './publisher.ts'
import { NatsIntake } from './intake.ts'

export type { NatsMessage } from './message.ts'
export { nats, natsBroker, type NatsViaOptions } from './via.ts'

/** Options of `natsSource`. */
export interface NatsSourceOptions<T = unknown> extends Given<WithoutHandlers<typeof NATS_SOURCE_OPTIONS>> {
  readonly stream: string
  readonly consumer: string
  /** Makes a record of a message. Default: the message is JSON. */
  readonly decode?: (message: NatsMessage) => T
}

/** Options of `natsSink`. */
export interface NatsSinkOptions<T = unknown> extends Given<WithoutHandlers<typeof NATS_SINK_OPTIONS>> {
  /** The subject of a record, where not all have the same. */
  readonly subjectOf?: (record: T) => string
  /** Makes a message of a record. Default: JSON. */
  readonly encode?: (record: T) => string | Uint8Array
}

/**
 * Node options of a source that takes the messages of a JetStream consumer. A message is acked when all results of its record are
 * done.
 * @throws OPTIONS_INVALID
 */
export function natsSource<T = any>(options: NatsSourceOptions<T>): SourceOptions<T, MessageQueue> {
  const { stream, consumer, decode = fromJson } = options
  const filled = checked('natsSource', options, NATS_SOURCE_OPTIONS, ['stream', 'consumer'])
  const queue = { ...filled, stream, consumer, decode }
  return queueSource(queue, { stream }, (feed, context) => NatsIntake.open(queue, feed, context))
}

/**
 * Node options of a sink that publishes each record to JetStream. A record is done when the stream has confirmed it. Its id is the
 * message's id, so a record that is published again is stored once, within the stream's `duplicate_window`.
 * @throws OPTIONS_INVALID
 */
export function natsSink<T = any>(options: NatsSinkOptions<T>): SinkWriteOptions<T, Outbox> {
  const { subject, subjectOf = () => subject!, encode = JSON.stringify } = options
  const isFixed = options.subjectOf === undefined
  const filled = checked('natsSink', options, NATS_SINK_OPTIONS, isFixed ? ['subject'] : [])
  const publisher = {
    ...filled,
    subjectOf: subjectOf as (record: unknown) => string,
    encode: encode as (record: unknown) => string,
  }
  return publisherSink((context) => NatsPublisher.open(publisher, isFixed ? subject : undefined, context))
}
