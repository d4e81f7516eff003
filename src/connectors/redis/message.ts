import type { MessageReceipt } from '../core/receipt.ts'

/** An entry of a stream, as `decode` gets it. */
export interface RedisMessage {
  readonly id: string
  readonly fields: Readonly<Record<string, string>>
  /** Which delivery this is, from 1. */
  readonly deliveries: number
}

/** What an entry is acked with. */
export interface RedisReceipt extends MessageReceipt {
  readonly id: string
}

/** The field of an entry that holds the record, where nothing else is said. */
export const DATA_FIELD = 'data'

/** Takes the field `data` as JSON. */
export function fromDataField({ fields }: RedisMessage): unknown {
  return JSON.parse(fields[DATA_FIELD] ?? '')
}
