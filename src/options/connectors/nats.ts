import type { OptionTable } from '../spec.ts'
import { CONNECTION_OPTIONS, CREDENTIALS, QUEUE_OPTIONS } from './connector.ts'

/** Where the server is, and who asks. */
export const NATS_SERVER = {
  servers: {
    type: 'string',
    default: 'nats://127.0.0.1:4222',
    text: 'Addresses of the servers, separated by commas.',
  },
  ...CREDENTIALS,
  token: { type: 'string', text: 'Token, instead of user and password.' },
  ...CONNECTION_OPTIONS,
} as const satisfies OptionTable

/** Options of `natsSource`. */
export const NATS_SOURCE_OPTIONS = {
  stream: { type: 'string', text: 'Name of the stream. It must exist.' },
  consumer: {
    type: 'string',
    text: 'Name of the durable consumer. All workers and instances with this name share its messages. It is created if it does not exist.',
  },
  filter: { type: 'string', text: 'Subjects of a consumer that is created. Default: all of the stream.' },
  ackWaitMs: {
    type: 'number',
    default: 30_000,
    min: 100,
    max: 86_400_000,
    unit: 'ms',
    text: 'Of a consumer that is created: time after which messages of a process that crashed are delivered again. Work may take longer.',
  },
  ...NATS_SERVER,
  ...QUEUE_OPTIONS,
} as const satisfies OptionTable

/** Options of `natsSink`. */
export const NATS_SINK_OPTIONS = {
  subject: { type: 'string', text: 'Subject of all records.' },
  subjectOf: { type: 'handler', text: '(record) => subject. Instead of `subject`.' },
  encode: { type: 'handler', text: '(record) => bytes or text. Default: JSON.' },
  confirmMs: {
    type: 'number',
    default: 5_000,
    min: 1,
    max: 3_600_000,
    unit: 'ms',
    text: 'Maximum time until the server confirms a record. After it the record is sent again, with the same message id.',
  },
  ...NATS_SERVER,
} as const satisfies OptionTable
