import type { OptionTable } from '../spec.ts'
import type { Technology } from '../values.ts'
import { CONNECTION_OPTIONS, QUEUE_OPTIONS } from './connector.ts'
import { NATS_SERVER, NATS_SOURCE_OPTIONS } from './nats.ts'
import { POSTGRES_SOURCE_OPTIONS } from './postgres.ts'
import { RABBITMQ_SERVER } from './rabbitmq.ts'
import { REDIS_SERVER, REDIS_SOURCE_OPTIONS } from './redis.ts'

const { window, maxDeliveries, redeliverMs } = QUEUE_OPTIONS

/** Options of every buffer with an address. */
const HOP_OPTIONS = {
  codec: {
    type: 'oneOf',
    values: ['msgpack', 'json'],
    default: 'msgpack',
    text: 'How records are encoded in messages. `msgpack` carries every value as it is; `json` can be read by others.',
  },
  whenGraphDiffers: {
    type: 'oneOf',
    values: ['accept', 'warn', 'refuse'],
    default: 'warn',
    text: 'What happens to a message that another version of the graph has sent. `refuse`: it takes the dead-letter edge of the buffer. `warn`: it is taken, and the first of each version is warned of.',
  },
  window,
  maxDeliveries,
  redeliverMs,
  ...CONNECTION_OPTIONS,
} as const satisfies OptionTable

const DEDUPE_MS = {
  type: 'integer',
  default: 120_000,
  min: 1_000,
  max: 86_400_000,
  unit: 'ms',
  text: 'Time in which a record that is sent again is stored once. It must be at least twice the time after which a message of a process that crashed is delivered again.',
} as const

/** Options of `nats`. */
export const NATS_VIA_OPTIONS = {
  stream: {
    type: 'string',
    text: 'Name of the stream, which is also its subject. It is created if it does not exist: a work queue of `capacity` messages.',
  },
  ...NATS_SERVER,
  ackWaitMs: NATS_SOURCE_OPTIONS.ackWaitMs,
  dedupeMs: DEDUPE_MS,
  ...HOP_OPTIONS,
} as const satisfies OptionTable

/** Options of `redis`. */
export const REDIS_VIA_OPTIONS = {
  ...REDIS_SERVER,
  claimMs: REDIS_SOURCE_OPTIONS.claimMs,
  dedupeMs: DEDUPE_MS,
  ...HOP_OPTIONS,
} as const satisfies OptionTable

/** Options of `rabbitmq`. */
export const RABBITMQ_VIA_OPTIONS = {
  queue: {
    type: 'string',
    text: 'Name of the queue. It is created if it does not exist: a quorum queue of `capacity` messages.',
  },
  ...RABBITMQ_SERVER,
  ...HOP_OPTIONS,
} as const satisfies OptionTable

/** Options of `postgres`. */
export const POSTGRES_VIA_OPTIONS = {
  url: POSTGRES_SOURCE_OPTIONS.url,
  table: {
    type: 'string',
    text: 'Name of the table, with its schema if that is not in the search path. It is created if it does not exist.',
  },
  leaseMs: POSTGRES_SOURCE_OPTIONS.leaseMs,
  lookMs: POSTGRES_SOURCE_OPTIONS.lookMs,
  dedupeMs: DEDUPE_MS,
  ...HOP_OPTIONS,
} as const satisfies OptionTable

/** Of each broker: its options, those that must be given, what names the queue, and when a crashed process' messages come again. */
export const VIA_OPTIONS = {
  nats: { table: NATS_VIA_OPTIONS, required: ['stream'], queue: ['servers', 'stream'], redelivery: 'ackWaitMs' },
  redis: { table: REDIS_VIA_OPTIONS, required: ['stream'], queue: ['url', 'stream'], redelivery: 'claimMs' },
  rabbitmq: { table: RABBITMQ_VIA_OPTIONS, required: ['queue'], queue: ['url', 'queue'] },
  postgres: { table: POSTGRES_VIA_OPTIONS, required: ['url', 'table'], queue: ['url', 'table'], redelivery: 'leaseMs' },
} as const satisfies Readonly<
  Record<
    Technology,
    {
      readonly table: OptionTable
      readonly required: readonly string[]
      readonly queue: readonly string[]
      readonly redelivery?: string
    }
  >
>
