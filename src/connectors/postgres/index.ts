/**
 * PostgreSQL as a source (a table that is a queue) and as a sink (rows, inserted or replaced): entry point `millrace/postgres`. The
 * client is loaded by the workers that need it.
 */
import type { SinkBatchOptions, SourceOptions } from '../../graph/types.ts'
import {
  type Given,
  POSTGRES_SINK_OPTIONS,
  POSTGRES_SOURCE_OPTIONS,
  type WithoutHandlers,
} from '../../options/index.ts'
import { checked } from '../core/checked.ts'
import { type MessageQueue, queueSource } from '../core/queue.ts'
import { type BatchWriter, writerSink } from '../core/sink.ts'
import { bodyFromJson, type PostgresMessage } from './message.ts'
import { PostgresIntake } from './intake.ts'
import { PostgresWriter } from './writer.ts'

export type { PostgresMessage } from './message.ts'
export { postgres, postgresBroker, type PostgresViaOptions } from './via.ts'

/** Options of `postgresSource`. */
export interface PostgresSourceOptions<T = unknown> extends Given<WithoutHandlers<typeof POSTGRES_SOURCE_OPTIONS>> {
  readonly url: string
  readonly table: string
  /** Makes a record of a row. Default: its body is JSON. */
  readonly decode?: (message: PostgresMessage) => T
}

/** Options of `postgresSink`. */
export interface PostgresSinkOptions extends Given<WithoutHandlers<typeof POSTGRES_SINK_OPTIONS>> {
  readonly url: string
  readonly table: string
}

/** Records of one statement, and how long the first one waits for the others. */
const BATCH = { size: 500, timeoutMs: 20 }

/**
 * Node options of a source that takes rows from a table that is a queue. A row is deleted when all results of its record are done.
 * @throws OPTIONS_INVALID
 */
export function postgresSource<T = any>(options: PostgresSourceOptions<T>): SourceOptions<T, MessageQueue> {
  const { url, table, decode = bodyFromJson } = options
  const filled = checked('postgresSource', options, POSTGRES_SOURCE_OPTIONS, ['url', 'table'])
  const queue = { ...filled, url, table, decode }
  return queueSource(queue, { table }, (feed, context) => PostgresIntake.open(queue, feed, context))
}

/**
 * Node options of a sink that writes records as rows: one statement for a batch, names of fields are names of columns. A record is done
 * when its transaction is committed.
 * @throws OPTIONS_INVALID
 */
export function postgresSink<T extends object = any>(options: PostgresSinkOptions): SinkBatchOptions<T, BatchWriter> {
  const { url, table } = options
  const filled = checked('postgresSink', options, POSTGRES_SINK_OPTIONS, ['url', 'table'])
  const writer = { ...filled, url, table }
  return writerSink(BATCH, (context) => PostgresWriter.open(writer, context))
}
