import type { MessageReceipt } from '../core/receipt.ts'

/** A request, as `decode` gets it. */
export interface WebhookRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  /** The last value of each header, by its name in small letters. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly deliveries: number
}

/** What a request is answered by. */
export interface RequestReceipt extends MessageReceipt {
  readonly id: number
}

/** Takes the body as JSON. */
export function bodyAsJson({ body }: WebhookRequest): unknown {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
}
