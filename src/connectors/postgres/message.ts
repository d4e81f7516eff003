import type { MessageReceipt } from '../core/receipt.ts'

/** A row of a queue, as `decode` gets it. */
export interface PostgresMessage {
  readonly id: string
  readonly body: string
  /** Which delivery this is, from 1. */
  readonly deliveries: number
}

/** A row of a queue between two parts. */
export interface PostgresParcel extends PostgresMessage {
  readonly name: string
  readonly terms: string
  readonly trace: string | null
}

/** What a row is acked with. */
export interface PostgresReceipt extends MessageReceipt {
  readonly id: string
}

/** Takes the body as JSON. */
export function bodyFromJson({ body }: PostgresMessage): unknown {
  return JSON.parse(body)
}
