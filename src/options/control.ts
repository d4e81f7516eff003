import type { OptionTable } from './spec.ts'

/** Options of the control API. */
export const CONTROL_OPTIONS = {
  token: {
    type: 'string',
    text: 'What readers and actors have to send as `authorization: Bearer TOKEN`. Default: none is asked for.',
  },
  showRecords: {
    type: 'boolean',
    default: false,
    text: 'Shows what records hold: dead letters with their input, and the texts of errors, which may quote them.',
  },
  actsPerSecond: {
    type: 'number',
    default: 10,
    above: 0,
    max: 10_000,
    unit: 'acts/s',
    text: 'Acts of one kind on one pipeline that are taken in the long run; twice as many at once. No kind waits for another.',
  },
  maxBodyBytes: {
    type: 'integer',
    default: 1_048_576,
    min: 1_024,
    max: 67_108_864,
    unit: 'bytes',
    text: 'Largest body of a request.',
  },
  hosts: {
    type: 'strings',
    text: 'Names under which the API may be asked without a token, beside those of this machine. Default: none.',
  },
  keptKeys: {
    type: 'integer',
    default: 10_000,
    min: 1,
    max: 1_000_000,
    unit: 'keys',
    text: 'Keys of pushed records that a pipeline remembers. A key that was forgotten lets its record in again.',
  },
  keptEvents: {
    type: 'integer',
    default: 1_000,
    min: 1,
    max: 100_000,
    unit: 'events',
    text: 'Events of a pipeline that are kept for readers that come back.',
  },
  maxReaders: {
    type: 'integer',
    default: 2_000,
    min: 1,
    max: 100_000,
    unit: 'readers',
    text: 'Readers that may follow the events at once.',
  },
} as const satisfies OptionTable

/** Options of the control API as a server of its own, beside those above. */
export const SERVE_OPTIONS = {
  host: {
    type: 'string',
    default: '127.0.0.1',
    text: 'Address to listen at. Another than this machine’s own needs a token.',
  },
  logger: {
    type: 'logger',
    default: false,
    text: 'Logs acts and events: `true` to stdout, as pino does, or a pino of one’s own.',
  },
  port: { type: 'integer', default: 4_480, min: 0, max: 65_535, text: 'Port to listen at; 0: any that is free.' },
} as const satisfies OptionTable
