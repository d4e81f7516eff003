import { errorText, MillraceError } from '../../errors.ts'
import { type Marked, type RecordMarks, mark } from '../../graph/types.ts'

/**
 * The record of a message. One that was delivered too often, or that `decode` does not take, has failed already: its dead letter has
 * the message as it came.
 * @param where names the message
 */
export function recordOfMessage<M extends { readonly deliveries: number }>(
  message: M,
  receipt: unknown,
  {
    maxDeliveries,
    decode,
    marksOf,
  }: {
    readonly maxDeliveries: number
    readonly decode: (message: M) => unknown
    readonly marksOf?: ((message: M) => RecordMarks) | undefined
  },
  where: Readonly<Record<string, unknown>>,
): Marked<unknown> {
  const { deliveries } = message
  if (deliveries > maxDeliveries) {
    return mark<unknown>(message, {
      receipt,
      error: new MillraceError('MESSAGE_UNDELIVERABLE', { ...where, deliveries }),
    })
  }
  try {
    // It may be this one that failed: others are not to fail with it again.
    return mark(decode(message), { ...marksOf?.(message), receipt, alone: deliveries > 1 })
  } catch (cause) {
    return mark<unknown>(message, { receipt, error: unreadable(cause, where) })
  }
}

/** Why what arrived is no record. */
export function unreadable(cause: unknown, where: Readonly<Record<string, unknown>>): MillraceError {
  return new MillraceError('MESSAGE_UNREADABLE', { ...where, reason: errorText(cause).message }, { cause })
}
