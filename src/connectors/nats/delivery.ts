import type { JsMsg } from '@nats-io/jetstream'
import type { NatsMessage } from './message.ts'

/** A message as plain data, which crosses threads. */
export function natsMessage(message: JsMsg): NatsMessage {
  const { subject, data, headers, info } = message
  const values: Record<string, string> = {}
  for (const key of headers?.keys() ?? []) values[key] = headers!.last(key)
  const at = Math.floor(info.timestampNanos / 1e6)
  return { subject, bytes: data, headers: values, sequence: info.streamSequence, deliveries: info.deliveryCount, at }
}
