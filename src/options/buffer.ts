import type { OptionTable } from './spec.ts'
import { WHEN_FULL } from './values.ts'

/** Options of buffers. */
export const BUFFER_OPTIONS = {
  capacity: {
    kinds: ['buffer'],
    type: 'integer',
    default: { when: ['via'], is: 100_000, else: 1_000 },
    min: 1,
    max: 16_777_216,
    unit: 'records',
    text: 'Maximum number of records in the buffer.',
  },
  via: {
    kinds: ['buffer'],
    type: 'via',
    text: 'The buffer is a queue of a broker: what `nats`, `redis`, `rabbitmq` or `postgres` make. See `docs/parts.md`.',
  },
  whenFull: {
    kinds: ['buffer'],
    type: 'oneOf',
    values: WHEN_FULL,
    default: 'block',
    text: 'What happens to a record if the buffer is full.',
  },
} as const satisfies OptionTable
