import type { MessageReceipt } from '../core/receipt.ts'

/** A message of a stream, as `decode` gets it. */
export interface NatsMessage {
  readonly subject: string
  readonly bytes: Uint8Array
  /** The last value of each header. */
  readonly headers: Readonly<Record<string, string>>
  /** Number of the message in its stream. */
  readonly sequence: number
  /** Which delivery this is, from 1. */
  readonly deliveries: number
  /** When the stream took it, in ms since 1970. */
  readonly at: number
}

/** What a message is acked with; `id` is its number in the stream. */
export interface NatsReceipt extends MessageReceipt {
  readonly id: number
  readonly reply: string
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Takes the bytes as JSON. */
export function fromJson({ bytes }: NatsMessage): unknown {
  return JSON.parse(utf8.decode(bytes))
}

/** What the server says of a stream that is not there. */
export const STREAM_NOT_FOUND = 10_059
