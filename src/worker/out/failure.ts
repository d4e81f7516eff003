import { MillraceError, errorText, isMillraceError } from '../../errors.ts'
import type { Failure } from '../../plan/definition.ts'
import { wallMs } from '../../time.ts'

/** What a failure says, beside the record: shared by retries, error edges and events. */
export interface Fault {
  readonly error: unknown
  readonly attempts: number
  readonly firstFailedAt: number
  /** What the last call said of the record to its source. */
  readonly note?: string | undefined
}

/** Told of each record that was given up. */
export type OnFault = (node: string, input: unknown, fault: Fault, outcome: Outcome, recordId: string) => void

/** How a record that was given up ended. */
export type Outcome = 'error' | 'deadLettered' | 'failed'

/** What goes to an error or dead-letter edge. */
export function failureOf(
  node: string,
  input: unknown,
  { error, attempts, firstFailedAt }: Fault,
  meta: unknown,
): Failure {
  return {
    input,
    error: { stack: '', ...errorText(error) },
    node,
    attempts,
    firstFailedAt,
    failedAt: wallMs(),
    ...(meta !== undefined && { meta }),
  }
}

/** Codecs and keys know no nodes; the error says where it was. */
export function located(error: unknown, node: string): unknown {
  if (!isMillraceError(error) || 'node' in error.detail) return error
  return new MillraceError(error.code, { node, ...error.detail }, { cause: error.cause })
}
