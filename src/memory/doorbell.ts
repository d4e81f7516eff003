import { LINE_BYTES } from './memory.ts'

/**
 * The one word on which a worker waits, and the word by which it says that it does.
 *
 *     0     BELL    any thread adds to it: the only word with more than one writer; a stray ring does no harm
 *     128   PARKED  the owner only: 0 it steps, 1 it dozes (or is about to), 2 it sleeps
 *
 * Who dozes looks again within DOZE_MS by itself; who sleeps may wait for long. Waking costs, so whoever is busy may leave an
 * owner that dozes unrung for now.
 *
 * Invariants (test/interleave):
 *   D1  no lost wake: the owner announces (PARKED), reads the bell, looks at all that could concern it, and only then
 *       waits; whoever has changed something looks at PARKED after the change. One of the two sees the other.
 *   D2  `notify` costs a system call's preparation, so it is done only where PARKED is set
 *   D3  who sleeps is rung at once by everybody: only a doze is cut short later, and ends soon without that
 */
export const DOORBELL_BYTES: number = 2 * LINE_BYTES
export const BELL = 0
export const PARKED: number = LINE_BYTES / 4

// Values of PARKED.
export const STEPS = 0
export const DOZES = 1
export const SLEEPS = 2

/** The longest wait that counts as a doze. */
export const DOZE_MS = 20
