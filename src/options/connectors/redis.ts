import type { OptionTable } from '../spec.ts'
import { CONNECTION_OPTIONS, CREDENTIALS, QUEUE_OPTIONS } from './connector.ts'

/** Where the server is, and who asks. */
export const REDIS_SERVER = {
  url: {
    type: 'string',
    default: 'redis://127.0.0.1:6379',
    text: 'Address of the server: `redis://` or `rediss://`, with the number of the database if it is not 0.',
  },
  ...CREDENTIALS,
  stream: { type: 'string', text: 'Key of the stream. It is created if it does not exist.' },
  ...CONNECTION_OPTIONS,
} as const satisfies OptionTable

/** Options of `redisSource`. */
export const REDIS_SOURCE_OPTIONS = {
  ...REDIS_SERVER,
  group: {
    type: 'string',
    text: 'Name of the consumer group. All workers and instances with this name share its messages. It is created if it does not exist, and begins with the oldest message.',
  },
  claimMs: {
    type: 'number',
    default: 30_000,
    min: 100,
    max: 86_400_000,
    unit: 'ms',
    text: 'Time after which messages of a process that crashed are delivered to others. Work may take longer. A failed message comes again after this time at the latest.',
  },
  ...QUEUE_OPTIONS,
} as const satisfies OptionTable

/** Options of `redisSink`. */
export const REDIS_SINK_OPTIONS = {
  ...REDIS_SERVER,
  encode: {
    type: 'handler',
    text: '(record) => the fields of the entry, as an object of texts. Default: JSON in the field `data`.',
  },
  dedupeMs: {
    type: 'integer',
    default: 120_000,
    min: 0,
    max: 86_400_000,
    unit: 'ms',
    text: 'Time in which the server stores a record once, however often it is sent. It keeps a key for each record so long. 0: no keys.',
  },
  maxLength: {
    type: 'integer',
    min: 1,
    max: 9_007_199_254_740_991,
    unit: 'entries',
    text: 'The stream is trimmed to about this length, also of entries that nobody has read. Default: not trimmed.',
  },
} as const satisfies OptionTable
