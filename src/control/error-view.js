import { Type } from 'typebox'
import { ERROR_CODES } from '../errors.js'
/** An error of a handler or a thread, as the API shows it. */
export const ErrorView = Type.Object({
  name: Type.String(),
  code: Type.Optional(Type.String()),
  message: Type.Optional(Type.String({ description: 'Only with `showRecords`: it may quote the record.' })),
})
/** The text of an error may quote a record, so it is shown only where records are; the texts of our own codes always are. */
export function errorView(error, showRecords) {
  const { name = 'Error', code, message } = error ?? {}
  const known = typeof code === 'string' && Object.hasOwn(ERROR_CODES, code)
  const text = showRecords ? message : known ? ERROR_CODES[code].text : undefined
  return {
    name,
    ...(typeof code === 'string' ? { code } : {}),
    ...(text === undefined ? {} : { message: text }),
  }
}
