/** What names a message at its server: a sequence number, an id. */
export type MessageKey = string | number

/** What a message is settled with. */
export interface MessageReceipt {
  readonly id: MessageKey
  /** Which delivery this is, from 1. */
  readonly deliveries: number
}
