import type { RequestView, StepView } from '../flow/index.ts'
import { MillraceError } from '../errors.ts'
import type { RequestAnswer, StepOfRequest } from './schemas.ts'

/** @param showErrors whether the words of steps are shown: they may quote what was asked */
export function requestView(request: RequestView, showErrors: boolean, isListed = false): RequestAnswer {
  const { id, flow, state, createdAt, startedAt, endedAt, replayOf, instance, answer, error, steps } = request
  return {
    id,
    flow,
    state,
    isOpen: endedAt === undefined,
    createdAt: new Date(createdAt).toISOString(),
    ...(startedAt === undefined ? {} : { startedAt: new Date(startedAt).toISOString() }),
    ...(endedAt === undefined ? {} : { endedAt: new Date(endedAt).toISOString() }),
    ...(replayOf === undefined ? {} : { replayOf }),
    ...(instance === undefined ? {} : { instance }),
    ...(answer === undefined ? {} : { answer: jsonOf(answer) }),
    ...(error === undefined ? {} : { error: errorOfRequest(error, showErrors) }),
    ...(steps === undefined || isListed ? {} : { steps: steps.map((step) => stepView(step, showErrors)) }),
  }
}

function stepView({ error, startedAt, endedAt, path, ...step }: StepView, showErrors: boolean): StepOfRequest {
  const times = { startedAt: new Date(startedAt).toISOString(), endedAt: new Date(endedAt).toISOString() }
  if (error === undefined) return { ...step, path: [...path], ...times }
  const { name, code, message } = error
  const said = { name, ...(code === undefined ? {} : { code }), ...(showErrors ? { message } : {}) }
  return { ...step, path: [...path], ...times, error: said }
}

function errorOfRequest(error: Error, showErrors: boolean): NonNullable<RequestAnswer['error']> {
  if (!(error instanceof MillraceError)) return { code: 'REQUEST_STOPPED' }
  const { step, reason } = error.detail as { step?: string; reason?: string }
  return {
    code: error.code,
    ...(step === undefined ? {} : { step }),
    ...(showErrors && reason !== undefined ? { reason } : {}),
  }
}

/** Bytes have no form of their own in JSON. */
export function jsonOf(answer: unknown): unknown {
  return answer instanceof Uint8Array ? { base64: Buffer.from(answer).toString('base64') } : answer
}
