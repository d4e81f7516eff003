import { errorText } from '../../errors.ts'
import { cutText } from '../../shown.ts'

/** Of a reason, the message is cut at so many bytes, and its other texts. */
const MESSAGE_BYTES = 512
const NAME_BYTES = 128

/** Why a node gave a record up, as its source is told: the fields of `AckReason`, as JSON. */
export function reasonText(node: string, error: unknown, attempts: number): string {
  const { name, message, code } = errorText(error)
  return JSON.stringify({
    node: cutText(node, NAME_BYTES),
    name: cutText(name, NAME_BYTES),
    message: cutText(message, MESSAGE_BYTES),
    ...(code === undefined ? {} : { code: cutText(code, NAME_BYTES) }),
    attempts,
  })
}
