import type { MessageReceipt } from '../core/receipt.ts'

/** A message of a queue, as `decode` gets it. */
export interface RabbitMessage {
  /** The message id, if whoever sent it gave it one. */
  readonly id: string | undefined
  readonly bytes: Uint8Array
  readonly headers: Readonly<Record<string, unknown>>
  readonly exchange: string
  readonly routingKey: string
  readonly contentType: string | undefined
  /** Which delivery this is, from 1. */
  readonly deliveries: number
}

/** What a message is acked with: its message id, or where it has none, what names this delivery. */
export interface RabbitReceipt extends MessageReceipt {
  readonly id: string
}

/** Takes the bytes as JSON. */
export function bytesFromJson({ bytes }: RabbitMessage): unknown {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
}
