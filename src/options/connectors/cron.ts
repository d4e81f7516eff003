import type { OptionTable } from '../spec.ts'
import { CURSOR_OPTIONS } from './file.ts'

/** Options of `cronSource`. */
export const CRON_OPTIONS = {
  cron: { type: 'string', text: 'Cron expression of five fields, or of six with seconds in front: `0 6 * * *`.' },
  timeZone: { type: 'string', text: 'IANA name of the time zone: `Europe/Berlin`. Default: that of the process.' },
  missed: {
    type: 'oneOf',
    values: ['skip', 'last', 'all'],
    default: 'last',
    text: 'With `cursorFile`: which ticks come that were due while no process ran: none, the last one, or all of them.',
  },
  ...CURSOR_OPTIONS,
} as const satisfies OptionTable
