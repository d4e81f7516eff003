import { MillraceError, errorOf, errorText } from '../errors.ts'
import type { Pipeline } from '../supervisor/pipeline.ts'
import { isPause } from './calling.ts'
import { STEPS_NODE } from './compile.ts'
import { type Arrival, parcelOf } from './parcel.ts'
import type { Places } from './places.ts'
import type { RequestBooks } from './request-books.ts'
import type { StepNote } from './site.ts'
import type { StepFault } from './types.ts'

/** Takes the answers of the last step, until the pipeline ends. */
export async function takeAnswers(pipeline: Pipeline, places: Places): Promise<void> {
  for await (const arrival of pipeline.output('answer')) {
    const { request: id, at, value, fault } = parcelOf(arrival as Arrival)
    const request = places.holder(at, id)
    // A step that was called again after a crash cannot answer twice; a stopped request has no answer.
    if (request === undefined || request.isStopping) continue
    if (fault === undefined) request.succeed(value)
    else if (isPause(fault)) request.isCut = true
    else request.fail('failed', requestFailure(id, fault))
  }
}

/** Learns what steps did, until the pipeline ends. */
export async function takeNotes(pipeline: Pipeline, places: Places, books: RequestBooks): Promise<void> {
  for await (const told of pipeline.output(STEPS_NODE)) {
    const heard = told as StepNote | Arrival
    const passed = 'from' in heard ? heard : undefined
    const note = passed ?? noteOf(heard)
    const request = places.holder(note.at, note.request)
    if (request === undefined) continue
    if (passed === undefined) books.did(request, note as StepNote)
    else books.passed(request, passed)
  }
}

/** What is told of a step: its note, or its failure. */
function noteOf(told: StepNote | Arrival): StepNote {
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
function requestFailure(request: string, fault: StepFault): MillraceError {
  const cause = causeOf(fault)
  return new MillraceError('REQUEST_FAILED', { request, step: fault.step, reason: cause.message }, { cause })
}
