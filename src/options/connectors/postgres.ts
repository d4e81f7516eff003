import type { OptionTable } from '../spec.ts'
import { CONNECTION_OPTIONS, QUEUE_OPTIONS } from './connector.ts'

const SERVER = {
  url: { type: 'string', text: 'Address of the database: `postgres://user:password@host:port/database`.' },
  table: {
    type: 'string',
    text: 'Name of the table, with its schema if that is not in the search path: `queue`, `jobs.queue`.',
  },
  ...CONNECTION_OPTIONS,
} as const satisfies OptionTable

/** Options of `postgresSource`. */
export const POSTGRES_SOURCE_OPTIONS = {
  ...SERVER,
  leaseMs: {
    type: 'number',
    default: 30_000,
    min: 100,
    max: 86_400_000,
    unit: 'ms',
    text: 'Time after which messages of a process that crashed are delivered to others. Work may take longer.',
  },
  lookMs: {
    type: 'number',
    default: 200,
    min: 1,
    max: 3_600_000,
    unit: 'ms',
    text: 'Pause between two looks at the table if nothing is there.',
  },
  channel: {
    type: 'string',
    text: 'Channel of `LISTEN`: a notification ends the pause. Default: none.',
  },
  ...QUEUE_OPTIONS,
} as const satisfies OptionTable

/** Options of `postgresSink`. */
export const POSTGRES_SINK_OPTIONS = {
  ...SERVER,
  key: {
    type: 'strings',
    text: 'Columns of a unique key. A record with the key of a row that exists replaces its values. Default: records are inserted.',
  },
  whenExists: {
    type: 'oneOf',
    values: ['replace', 'keep'],
    default: 'replace',
    text: 'With `key`: what happens to a row that exists.',
  },
} as const satisfies OptionTable
