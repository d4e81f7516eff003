import type { OptionTable } from '../spec.ts'

/** Options of all sources and sinks that talk to a server. */
export const CONNECTION_OPTIONS = {
  connectMs: {
    type: 'number',
    default: 5_000,
    min: 1,
    max: 3_600_000,
    unit: 'ms',
    text: 'Maximum time of the first connection. If it fails, the pipeline does not start. Later the connector reconnects until it succeeds.',
  },
} as const satisfies OptionTable

/** Who asks. */
export const CREDENTIALS = {
  user: { type: 'string', text: 'Name of the user.' },
  password: { type: 'string', text: 'Password of the user.' },
} as const satisfies OptionTable

/** Options of all sources that take messages from a queue of a server, and settle them there. */
export const QUEUE_OPTIONS = {
  window: {
    type: 'integer',
    default: 1_024,
    min: 1,
    max: 65_536,
    unit: 'messages',
    text: 'Maximum number of messages that one worker has taken from the server and not settled. It asks for more if half of them are settled.',
  },
  decode: {
    type: 'handler',
    text: '(message) => record. Default: the message is JSON. A message for which it throws takes the dead-letter edge of the source.',
  },
  maxDeliveries: {
    type: 'integer',
    default: 10,
    min: 1,
    max: 1_000_000,
    unit: 'deliveries',
    text: 'Number of deliveries of one message. After them it takes the dead-letter edge of the source; if that fails too, the server drops it.',
  },
  redeliverMs: {
    type: 'number',
    default: 1_000,
    min: 0,
    max: 3_600_000,
    unit: 'ms',
    text: 'Pause before a failed message is delivered again. It doubles with each delivery, up to 64 times.',
  },
} as const satisfies OptionTable
