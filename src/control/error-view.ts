import { Type } from 'typebox'
import { ERROR_CODES } from '../errors.ts'
import { cutText, dataOf } from '../shown.ts'

/** An error of a handler or a thread, as the API shows it. */
export const ErrorView = Type.Object({
  name: Type.String(),
  code: Type.Optional(Type.String()),
  message: Type.Optional(Type.String({ description: 'Only with `showRecords`, because it may quote the record.' })),
})
export type ErrorView = Type.Static<typeof ErrorView>

const NAME_BYTES = 200
const MESSAGE_BYTES = 65_536

/**
 * The text of an error may quote a record, so it is shown only where records are; the texts of our own codes always are.
 * Anything may be thrown: nothing of it is called.
 */
export function errorView(error: unknown, showRecords: boolean): ErrorView {
  const textOf = (name: string, bytes: number): string | undefined => {
    const text = dataOf(error, name)
    return typeof text === 'string' ? cutText(text, bytes) : undefined
  }
  const code = textOf('code', NAME_BYTES)
  const known = code !== undefined && Object.hasOwn(ERROR_CODES, code)
  const text = showRecords
    ? textOf('message', MESSAGE_BYTES)
    : known
      ? ERROR_CODES[code as keyof typeof ERROR_CODES].text
      : undefined
  return {
    name: textOf('name', NAME_BYTES) ?? 'Error',
    ...(code === undefined ? {} : { code }),
    ...(text === undefined ? {} : { message: text }),
  }
}
