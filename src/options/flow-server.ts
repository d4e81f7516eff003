import { CONTROL_OPTIONS } from './control.ts'
import type { OptionTable } from './spec.ts'

/** Options of the HTTP API of flows; `docs/requests.md` lists them. */
export const FLOW_SERVER_OPTIONS = {
  token: CONTROL_OPTIONS.token,
  hosts: CONTROL_OPTIONS.hosts,
  maxBodyBytes: CONTROL_OPTIONS.maxBodyBytes,
  showErrors: {
    type: 'boolean',
    default: false,
    text: 'Show what a failed step said. It may quote what was asked.',
  },
} as const satisfies OptionTable
