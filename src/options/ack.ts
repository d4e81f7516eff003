import { ACK_RETRY_OPTIONS } from './ack-retry.ts'
import type { OptionTable } from './spec.ts'

/** Options of sources: what they are told of their records. */
export const ACK_OPTIONS = {
  ack: {
    kinds: ['source'],
    type: 'handler',
    text: 'Called with the receipts of acked and of failed records.',
  },
  ackBy: {
    kinds: ['source'],
    type: 'handler',
    text: '(receipt) => string | number: the group of a receipt. `ack` is called for each group apart, with one open call per group; a group whose call fails is tried again while the others go on.',
  },
  ackRetry: {
    kinds: ['source'],
    type: 'object',
    fields: ACK_RETRY_OPTIONS,
    text: 'How a call of `ack` that fails is tried again.',
  },
  ackInFlight: {
    kinds: ['source'],
    type: 'integer',
    default: 16,
    min: 1,
    max: 1_024,
    unit: 'calls',
    text: 'With `ackBy`: maximum number of open calls of `ack`, per worker. Calls that wait for their next attempt do not count.',
  },
  reasonBytes: {
    kinds: ['source'],
    type: 'integer',
    default: { when: ['ack', 'push'], is: 16_384, else: 0 },
    min: 0,
    max: 1_048_576,
    unit: 'bytes',
    text: 'Room for what each worker says to this source about failed records, for `reasons` of `ack` and for `done` of a receipt. A reason that finds no room is left out and counted. 0: no reasons.',
  },
} as const satisfies OptionTable
