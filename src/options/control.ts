import type { OptionTable } from './spec.ts'

/** Options of the control API. */
export const CONTROL_OPTIONS = {
  token: {
    type: 'string',
    text: 'Token that clients send as `authorization: Bearer TOKEN`. `/health`, `/ready`, `/openapi.json` and the files of the page need none. Default: no token is required.',
  },
  showRecords: {
    type: 'boolean',
    default: false,
    text: 'Show the contents of records: input of dead letters, and error messages, which may quote it.',
  },
  commandsPerSecond: {
    type: 'number',
    default: 10,
    above: 0,
    max: 10_000,
    unit: 'commands/s',
    text: 'Rate limit for each kind of command on each pipeline, with bursts of twice as many. Above it, a command is refused with `COMMANDS_TOO_FAST`.',
  },
  maxBodyBytes: {
    type: 'integer',
    default: 1_048_576,
    min: 1_024,
    max: 67_108_864,
    unit: 'bytes',
    text: 'Maximum size of a request body.',
  },
  hosts: {
    type: 'strings',
    text: 'Host names accepted without a token, besides those of this machine. Default: none.',
  },
  keptKeys: {
    type: 'integer',
    default: 10_000,
    min: 1,
    max: 1_000_000,
    unit: 'keys',
    text: 'Idempotency keys of pushed records that a pipeline remembers. If a key is no longer remembered, a record pushed again with it is processed again.',
  },
  keptEvents: {
    type: 'integer',
    default: 1_000,
    min: 1,
    max: 100_000,
    unit: 'events',
    text: 'Events kept for subscribers that reconnect, per pipeline.',
  },
  maxSubscribers: {
    type: 'integer',
    default: 2_000,
    min: 1,
    max: 100_000,
    unit: 'subscribers',
    text: 'Maximum number of subscribers to server-sent events.',
  },
} as const satisfies OptionTable

/** Options of the control API as a separate server, in addition to those above. */
export const SERVE_OPTIONS = {
  host: {
    type: 'string',
    default: '127.0.0.1',
    text: 'Address to listen on. An address that other machines can reach needs a token.',
  },
  logger: {
    type: 'logger',
    default: false,
    text: 'Logs commands and events: `true` logs to stdout, or pass a pino logger.',
  },
  port: { type: 'integer', default: 4_480, min: 0, max: 65_535, text: 'Port to listen on. 0 means any free port.' },
} as const satisfies OptionTable
