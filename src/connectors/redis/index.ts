/** Redis Streams as a source and as a sink: entry point `millrace/redis`. The client is loaded by the workers that need it. */
import type { SinkWriteOptions, SourceOptions } from '../../graph/types.ts'
import { type Given, REDIS_SINK_OPTIONS, REDIS_SOURCE_OPTIONS, type WithoutHandlers } from '../../options/index.ts'
import { checked } from '../core/checked.ts'
import { type MessageQueue, queueSource } from '../core/queue.ts'
import { type Outbox, publisherSink } from '../core/sink.ts'
import { DATA_FIELD, fromDataField, type RedisMessage } from './message.ts'
import { RedisPublisher } from './publisher.ts'
import { RedisIntake } from './intake.ts'

export type { RedisMessage } from './message.ts'
export { redis, redisBroker, type RedisViaOptions } from './via.ts'

/** Options of `redisSource`. */
export interface RedisSourceOptions<T = unknown> extends Given<WithoutHandlers<typeof REDIS_SOURCE_OPTIONS>> {
  readonly stream: string
  readonly group: string
  /** Makes a record of an entry. Default: the field `data` is JSON. */
  readonly decode?: (message: RedisMessage) => T
}

/** Options of `redisSink`. */
export interface RedisSinkOptions<T = unknown> extends Given<WithoutHandlers<typeof REDIS_SINK_OPTIONS>> {
  readonly stream: string
  /** Makes the fields of an entry of a record. Default: JSON in the field `data`. */
  readonly encode?: (record: T) => Readonly<Record<string, string>>
}

/**
 * Node options of a source that takes the entries of a stream as a member of a consumer group. An entry is acked when all results of
 * its record are done.
 * @throws OPTIONS_INVALID
 */
export function redisSource<T = any>(options: RedisSourceOptions<T>): SourceOptions<T, MessageQueue> {
  const { stream, group, decode = fromDataField } = options
  const filled = checked('redisSource', options, REDIS_SOURCE_OPTIONS, ['stream', 'group'])
  const queue = { ...filled, stream, group, decode }
  return queueSource(queue, { stream, group }, (feed, context) => RedisIntake.open(queue, feed, context))
}

/**
 * Node options of a sink that adds each record to a stream. A record is done when the server has confirmed it. Within `dedupeMs` a
 * record that is sent again is stored once.
 * @throws OPTIONS_INVALID
 */
export function redisSink<T = any>(options: RedisSinkOptions<T>): SinkWriteOptions<T, Outbox> {
  const { stream, encode = (record: T) => ({ [DATA_FIELD]: JSON.stringify(record) }) } = options
  const filled = checked('redisSink', options, REDIS_SINK_OPTIONS, ['stream'])
  const publisher = { ...filled, stream, encode: encode as (record: unknown) => Record<string, string> }
  return publisherSink((context) => RedisPublisher.open(publisher, context))
}
