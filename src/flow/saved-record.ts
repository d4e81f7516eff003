import { deserialize, serialize } from 'node:v8'
import { ERROR_CODES, type ErrorCode, MillraceError, errorOf } from '../errors.ts'
import type { RequestOutcome, RequestRecord } from './request-record.ts'

/** A request as bytes of a store. @throws where its input or its answer cannot be cloned */
export function packRecord({ outcome, said, ...record }: RequestRecord): Uint8Array {
  return serialize({
    ...record,
    outcome: outcome && savedOutcome(outcome),
    ...(said === undefined ? {} : { said: savedOutcome(said) }),
  } satisfies SavedRecord)
}

export function unpackRecord(data: Uint8Array): RequestRecord {
  const { outcome, said, ...record } = deserialize(data) as SavedRecord
  return { ...record, outcome: outcome && outcomeOf(outcome), ...(said === undefined ? {} : { said: outcomeOf(said) }) }
}

type SavedOutcome = { readonly answer: unknown } | { readonly error: SavedError }
type SavedRecord = Omit<RequestRecord, 'outcome' | 'said'> & {
  readonly outcome: SavedOutcome | undefined
  readonly said?: SavedOutcome
}

interface SavedError {
  readonly name: string
  readonly message: string
  readonly stack: string
  readonly code?: string | undefined
  readonly detail?: Readonly<Record<string, unknown>> | undefined
  readonly cause?: SavedError | undefined
}

function savedOutcome(outcome: RequestOutcome): SavedOutcome {
  return 'answer' in outcome ? outcome : { error: savedError(outcome.error) }
}

function savedError(error: Error): SavedError {
  const { name, message, stack = '', cause } = error
  const { code, detail } = error as { code?: string; detail?: Readonly<Record<string, unknown>> }
  const own = { name, message, stack, ...(typeof code === 'string' ? { code } : {}) }
  return {
    ...own,
    ...(error instanceof MillraceError ? { detail } : {}),
    ...(cause instanceof Error ? { cause: savedError(cause) } : {}),
  }
}

function outcomeOf(outcome: SavedOutcome): RequestOutcome {
  return 'answer' in outcome ? outcome : { error: errorFrom(outcome.error) }
}

function errorFrom({ cause, ...own }: SavedError): Error {
  const options = cause === undefined ? {} : { cause: errorFrom(cause) }
  const { name, code, detail } = own
  if (name === 'MillraceError' && code !== undefined && Object.hasOwn(ERROR_CODES, code))
    return new MillraceError(code as ErrorCode, detail, options)
  return Object.assign(errorOf(own), options)
}
