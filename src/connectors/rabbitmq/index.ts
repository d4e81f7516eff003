/** RabbitMQ as a source and as a sink: entry point `millrace/rabbitmq`. The client is loaded by the workers that need it. */
import type { SinkWriteOptions, SourceOptions } from '../../graph/types.ts'
import {
  type Given,
  RABBITMQ_SINK_OPTIONS,
  RABBITMQ_SOURCE_OPTIONS,
  type WithoutHandlers,
} from '../../options/index.ts'
import { checked } from '../core/checked.ts'
import { type MessageQueue, queueSource } from '../core/queue.ts'
import { type Outbox, publisherSink } from '../core/sink.ts'
import { RabbitIntake } from './intake.ts'
import { bytesFromJson, type RabbitMessage } from './message.ts'
import { RabbitPublisher } from './publisher.ts'

export type { RabbitMessage } from './message.ts'
export { rabbitmq, rabbitmqBroker, type RabbitmqViaOptions } from './via.ts'

/** Options of `rabbitmqSource`. */
export interface RabbitmqSourceOptions<T = unknown> extends Given<WithoutHandlers<typeof RABBITMQ_SOURCE_OPTIONS>> {
  readonly queue: string
  /** Makes a record of a message. Default: the message is JSON. */
  readonly decode?: (message: RabbitMessage) => T
}

/** Options of `rabbitmqSink`. */
export interface RabbitmqSinkOptions<T = unknown> extends Given<WithoutHandlers<typeof RABBITMQ_SINK_OPTIONS>> {
  /** The routing key of a record, where not all have the same. */
  readonly routingKeyOf?: (record: T) => string
  /** Makes a message of a record. Default: JSON. */
  readonly encode?: (record: T) => string | Uint8Array
}

/**
 * Node options of a source that takes the messages of a queue. A message is acked when all results of its record are done.
 * @throws OPTIONS_INVALID
 */
export function rabbitmqSource<T = any>(options: RabbitmqSourceOptions<T>): SourceOptions<T, MessageQueue> {
  const { queue, decode = bytesFromJson } = options
  const filled = checked('rabbitmqSource', options, RABBITMQ_SOURCE_OPTIONS, ['queue'])
  const intake = { ...filled, queue, decode }
  return queueSource(intake, { queue }, (feed, context) => RabbitIntake.open(intake, feed, context))
}

/**
 * Node options of a sink that publishes each record, to a queue or to an exchange. A record is done when the server has confirmed it;
 * one that no queue takes fails. Its id is the message's id.
 * @throws OPTIONS_INVALID
 */
export function rabbitmqSink<T = any>(options: RabbitmqSinkOptions<T>): SinkWriteOptions<T, Outbox> {
  const { encode = JSON.stringify, exchange, queue, routingKey = queue ?? '' } = options
  const needed = exchange === undefined ? ['queue'] : []
  const filled = checked('rabbitmqSink', options, RABBITMQ_SINK_OPTIONS, needed)
  const publisher = {
    ...filled,
    exchange: exchange ?? '',
    routingKeyOf: (options.routingKeyOf ?? (() => routingKey)) as (record: unknown) => string,
    encode: encode as (record: unknown) => string,
  }
  return publisherSink((context) => RabbitPublisher.open(publisher, context))
}
