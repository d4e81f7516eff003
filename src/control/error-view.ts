import { Type } from 'typebox'
import { ERROR_CODES } from '../errors.ts'

/** An error of a handler or a thread, as the API shows it. */
export const ErrorView = Type.Object({
  name: Type.String(),
  code: Type.Optional(Type.String()),
  message: Type.Optional(Type.String({ description: 'Only with `showRecords`: it may quote the record.' })),
})
export type ErrorView = Type.Static<typeof ErrorView>

/** The text of an error may quote a record, so it is shown only where records are; the texts of our own codes always are. */
export function errorView(error: unknown, showRecords: boolean): ErrorView {
  const { name = 'Error', code, message } = (error ?? {}) as { name?: string; code?: unknown; message?: string }
  const known = typeof code === 'string' && Object.hasOwn(ERROR_CODES, code)
  const text = showRecords ? message : known ? ERROR_CODES[code as keyof typeof ERROR_CODES].text : undefined
  return {
    name,
    ...(typeof code === 'string' ? { code } : {}),
    ...(text === undefined ? {} : { message: text }),
  }
}
