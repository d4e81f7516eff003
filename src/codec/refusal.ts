import { MillraceError, errorText, isMillraceError } from '../errors.ts'

/** Values that are nested deeper are refused: walks over them, here and in a handler, use the stack. */
export const MAX_DEPTH = 500

export function refusal(reason: string): MillraceError {
  return new MillraceError('RECORD_NOT_ENCODABLE', { reason })
}

export function tooDeep(): MillraceError {
  return new MillraceError('RECORD_TOO_DEEP', { maxDepth: MAX_DEPTH })
}

/** Whatever a value threw while it was read (a getter may throw anything), as the failure of its record. */
export function asRefusal(error: unknown): MillraceError {
  if (isMillraceError(error)) return error
  const { name, message } = errorText(error)
  return new MillraceError('RECORD_NOT_ENCODABLE', { reason: `reading it threw ${name}: ${message}` }, { cause: error })
}
