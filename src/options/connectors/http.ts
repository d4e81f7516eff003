import type { OptionTable } from '../spec.ts'
import { QUEUE_OPTIONS } from './connector.ts'

/** Options of `webhookSource`. */
export const WEBHOOK_OPTIONS = {
  port: { type: 'integer', min: 0, max: 65_535, text: 'Port to listen on.' },
  host: { type: 'string', default: '127.0.0.1', text: 'Address to listen on; `0.0.0.0` for all.' },
  path: { type: 'string', default: '/', text: 'Path of the requests that are taken. Others get 404.' },
  maxBodyBytes: {
    type: 'integer',
    default: 1_048_576,
    min: 1,
    max: 67_108_864,
    unit: 'bytes',
    text: 'Maximum size of a body. A larger one gets 413.',
  },
  answerMs: {
    type: 'number',
    default: 30_000,
    min: 1,
    max: 3_600_000,
    unit: 'ms',
    text: 'Time after which a request whose record has not ended gets 504. The record goes on.',
  },
  window: {
    ...QUEUE_OPTIONS.window,
    unit: 'requests',
    text: 'Maximum number of requests that are open. Further ones get 503 with `Retry-After`.',
  },
  decode: {
    type: 'handler',
    text: '(request) => record. Default: the body is JSON. A request for which it throws gets 400, and takes the dead-letter edge of the source.',
  },
  idOf: {
    type: 'handler',
    text: '(request) => text that names the request, the same each time that it is sent. Default: its header `idempotency-key`, if it has one.',
  },
} as const satisfies OptionTable

/** Options of `httpSink`. */
export const HTTP_SINK_OPTIONS = {
  url: { type: 'string', text: 'Where records are sent.' },
  method: { type: 'oneOf', values: ['POST', 'PUT', 'PATCH'], default: 'POST', text: 'Method of the requests.' },
  headers: { type: 'object', text: 'Further headers, as an object of texts.' },
  size: {
    type: 'integer',
    default: 100,
    min: 1,
    max: 65_536,
    unit: 'records',
    text: 'Maximum number of records in a request.',
  },
  timeoutMs: {
    type: 'number',
    default: 50,
    min: 0,
    max: 3_600_000,
    unit: 'ms',
    text: 'Maximum time that the first record of a request waits for the others.',
  },
  answerMs: {
    type: 'number',
    default: 30_000,
    min: 1,
    max: 3_600_000,
    unit: 'ms',
    text: 'Maximum time until a request is answered. After it, it is sent again.',
  },
  encode: {
    type: 'handler',
    text: '(records) => body. Default: a JSON array.',
  },
  contentType: { type: 'string', default: 'application/json', text: 'Type of the body.' },
} as const satisfies OptionTable
