import { MillraceError, errorOf, errorText } from '../errors.ts'
import { type Arrival, parcelOf } from './parcel.ts'
import type { StepNote } from './site.ts'
import type { StepFault } from './types.ts'

/** What is told of a step: its note, or its failure. */
export function noteOf(told: StepNote | Arrival): StepNote {
  if ('step' in told) return told
  const { request, at, turn, path, fault } = parcelOf(told)
  const { firstFailedAt, failedAt } = told as { firstFailedAt: number; failedAt: number }
  const { step, attempts } = fault!
  return { request, at, turn, path, step, attempts, startedAt: firstFailedAt, endedAt: failedAt, fault: fault! }
}

/** The error of the step that failed. */
function causeOf({ step, code, ...rest }: StepFault): Error {
  if (code === 'ANSWER_TOO_LARGE') return new MillraceError(code, { step })
  return errorOf({ ...rest, ...(code === undefined ? {} : { code }) })
}

/** Why a request is not taken: its store is away. */
export function storeError(cause: unknown): MillraceError {
  return new MillraceError('FLOW_STORE_UNUSABLE', { reason: errorText(cause).message }, { cause })
}

/** A request fails as its step did. */
export function requestFailure(request: string, fault: StepFault): MillraceError {
  const cause = causeOf(fault)
  return new MillraceError('REQUEST_FAILED', { request, step: fault.step, reason: cause.message }, { cause })
}
