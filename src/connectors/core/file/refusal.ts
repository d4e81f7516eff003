import { errorText, MillraceError } from '../../../errors.ts'

/** What the file system says no to, or what a file may not be used for. */
export function fileRefusal(cause: unknown, where: { readonly node: string; readonly path?: string }): MillraceError {
  return new MillraceError('CONNECTOR_REFUSED', { ...where, reason: errorText(cause).message }, { cause })
}
