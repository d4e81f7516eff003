/** HTTP as a source and as a sink: entry point `millrace/http`. */
import type { SinkBatchOptions, SourceOptions } from '../../graph/types.ts'
import { type Given, HTTP_SINK_OPTIONS, WEBHOOK_OPTIONS, type WithoutHandlers } from '../../options/index.ts'
import { checked } from '../core/checked.ts'
import { type MessageQueue, queueSource } from '../core/queue.ts'
import { type BatchWriter, writerSink } from '../core/sink.ts'
import { HttpIntake } from './intake.ts'
import { bodyAsJson, type WebhookRequest } from './request.ts'
import { HttpWriter } from './writer.ts'

export type { WebhookRequest } from './request.ts'

/** Options of `webhookSource`. */
export interface WebhookOptions<T = unknown> extends Given<WithoutHandlers<typeof WEBHOOK_OPTIONS>> {
  readonly port: number
  /** Makes a record of a request. Default: the body is JSON. */
  readonly decode?: (request: WebhookRequest) => T
  /** Names a request. Default: its header `idempotency-key`. */
  readonly idOf?: (request: WebhookRequest) => string | undefined
}

/** Options of `httpSink`. */
export interface HttpSinkOptions<T = unknown> extends Omit<
  Given<WithoutHandlers<typeof HTTP_SINK_OPTIONS>>,
  'headers'
> {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** Makes the body of a request. Default: a JSON array. */
  readonly encode?: (records: readonly T[]) => string | Uint8Array
}

/**
 * Node options of a source that takes requests, and answers each when all results of its record are done: 204, or 500 if it failed.
 * Whoever sends a request again until it is answered so loses nothing.
 * @throws OPTIONS_INVALID
 */
export function webhookSource<T = any>(options: WebhookOptions<T>): SourceOptions<T, MessageQueue> {
  const { port, decode = bodyAsJson, idOf = idempotencyKey } = options
  const filled = checked('webhookSource', options, WEBHOOK_OPTIONS, ['port'])
  const unreadable = new WeakSet<WebhookRequest>()
  const queue = {
    ...filled,
    port,
    unreadable,
    decode: (request: WebhookRequest) => {
      try {
        return decode(request)
      } catch (error) {
        unreadable.add(request)
        throw error
      }
    },
    marksOf: (request: WebhookRequest) => ({ id: idOf(request) }),
    // Only the sender knows how often it has sent it.
    maxDeliveries: 1,
    redeliverMs: 0,
  }
  return queueSource(queue, { path: filled.path }, (feed, context) => HttpIntake.open(queue, feed, context))
}

function idempotencyKey({ headers }: WebhookRequest): string | undefined {
  return headers['idempotency-key']
}

/**
 * Node options of a sink that sends records in batches. A record is done when its request is answered with 2xx. Requests that get no
 * answer, 408, 425, 429 or 5xx are sent again, with the same header `idempotency-key`; any other answer fails the batch.
 * @throws OPTIONS_INVALID
 */
export function httpSink<T = any>(options: HttpSinkOptions<T>): SinkBatchOptions<T, BatchWriter> {
  const { url, headers = {}, encode = JSON.stringify } = options
  const filled = checked('httpSink', options, HTTP_SINK_OPTIONS, ['url'])
  const writer = { ...filled, url, headers, encode: encode as (records: readonly unknown[]) => string }
  const { size, timeoutMs } = filled
  return writerSink({ size, timeoutMs }, (context) => Promise.resolve(new HttpWriter(writer, context)))
}
