import { CONTROL_OPTIONS } from './control.ts'
import type { OptionTable } from './spec.ts'

/** Options of the HTTP API of flows; `docs/requests.md` lists them. */
export const FLOW_SERVER_OPTIONS = {
  token: CONTROL_OPTIONS.token,
  hosts: CONTROL_OPTIONS.hosts,
  maxBodyBytes: CONTROL_OPTIONS.maxBodyBytes,
  page: {
    type: 'boolean',
    default: false,
    text: 'Serve the page with flows and their requests, and the control API of their pipelines, beside the routes of flows. Whoever has the token may then stop pipelines, too.',
  },
  callbackHosts: {
    type: 'strings',
    text: 'Hosts that the header `Callback-Url` may name, each with its port unless that is the usual one. Default: none.',
  },
  callbackSecret: {
    type: 'string',
    text: 'Key that signs callbacks: `Millrace-Signature: t=SECONDS,v1=HEX`, an HMAC with SHA-256 of `SECONDS.BODY`. Default: they are not signed.',
  },
  showErrors: {
    type: 'boolean',
    default: false,
    text: 'Show what a failed step said. It may quote what was asked.',
  },
} as const satisfies OptionTable
