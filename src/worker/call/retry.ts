import { isMillraceError } from '../../errors.ts'
import type { InputPlan } from '../../plan/types.ts'
import type { AnyFunction } from './handlers.ts'

/** Delays end at a day in ms; an infinite factor would make a delay of 0 into none at all: NaN. */
const MAX_FACTOR = 2 ** 53

/**
 * How long a failed record waits before its next attempt, in ms.
 * @param attempts calls so far, at least 1
 * @param random from 0 to 1
 */
export function retryDelayMs(
  policy: Pick<InputPlan['retry'], 'backoff' | 'baseMs' | 'maxMs' | 'jitter'>,
  attempts: number,
  random: number,
): number {
  const { backoff, baseMs, maxMs, jitter } = policy
  const factor =
    backoff === 'constant' ? 1 : backoff === 'linear' ? attempts : Math.min(2 ** (attempts - 1), MAX_FACTOR)
  const delay = Math.min(maxMs, baseMs * factor)
  return delay * (1 - jitter * random)
}

/**
 * Whether a failure is worth another call of the handler. A `when` that throws says no, and what this library itself gave up
 * (poison, a missing key) is not tried again, but for time-outs.
 */
export function isWorthRetry(
  input: InputPlan,
  when: AnyFunction | undefined,
  error: unknown,
  attempts: number,
): boolean {
  if (attempts >= input.retry.maxAttempts) return false
  if (isMillraceError(error) && error.code !== 'HANDLER_TIMEOUT') return false
  if (when === undefined) return true
  try {
    return when(error, attempts) === true
  } catch {
    return false
  }
}
