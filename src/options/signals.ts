import type { OptionTable } from './spec.ts'

/** Options of `handleSignals`, beside its `server`, `logger` and `exit`. */
export const SIGNAL_OPTIONS = {
  signals: { type: 'strings', text: 'Signals that end the process. Default: `SIGTERM` and `SIGINT`.' },
  graceMs: {
    type: 'integer',
    default: 30_000,
    min: 100,
    max: 86_400_000,
    unit: 'ms',
    text: 'Time from the first signal until the process has exited. Set it to one second less than the platform allows: Kubernetes kills after 30 s, Docker after 10 s, PM2 after 1.6 s.',
  },
  delayMs: {
    type: 'integer',
    default: 0,
    min: 0,
    max: 3_600_000,
    unit: 'ms',
    text: 'Time from the first signal until the server closes. Readiness is false immediately, so that a load balancer can notice. Part of `graceMs`.',
  },
} as const satisfies OptionTable
