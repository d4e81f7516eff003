import type { OptionTable } from '../spec.ts'
import { CONNECTION_OPTIONS, CREDENTIALS, QUEUE_OPTIONS } from './connector.ts'

/** Where the server is, and who asks. */
export const RABBITMQ_SERVER = {
  url: {
    type: 'string',
    default: 'amqp://guest:guest@127.0.0.1:5672',
    text: 'Address of the server: `amqp://` or `amqps://`, with the virtual host if it is not `/`.',
  },
  ...CREDENTIALS,
  ...CONNECTION_OPTIONS,
} as const satisfies OptionTable

/** Options of `rabbitmqSource`. */
export const RABBITMQ_SOURCE_OPTIONS = {
  queue: {
    type: 'string',
    text: 'Name of the queue. All workers and instances share its messages. It is created as a quorum queue if it does not exist.',
  },
  ...RABBITMQ_SERVER,
  ...QUEUE_OPTIONS,
} as const satisfies OptionTable

/** Options of `rabbitmqSink`. */
export const RABBITMQ_SINK_OPTIONS = {
  queue: { type: 'string', text: 'Name of the queue of all records. It must exist. Instead of `exchange`.' },
  exchange: { type: 'string', text: 'Name of the exchange. It must exist.' },
  routingKey: { type: 'string', text: 'With `exchange`: routing key of all records. Default: empty.' },
  routingKeyOf: { type: 'handler', text: 'With `exchange`: (record) => routing key. Instead of `routingKey`.' },
  encode: { type: 'handler', text: '(record) => bytes or text. Default: JSON.' },
  ...RABBITMQ_SERVER,
} as const satisfies OptionTable
