/** The graphs that the suite `brokers` runs: into a broker, out of it, and through it. */
import { type GraphData, type Via, dataflow } from 'millrace'
import { natsSink, natsSource } from 'millrace/nats'
import { redisSink, redisSource } from 'millrace/redis'
import { feed, LAST_BATCH_MS, tally } from './graphs.ts'
import { SIX_FIELDS, type SixFields } from './records.ts'

export interface BrokerParams {
  /** Name of the graph, its gate, and its queue. */
  readonly name: string
  readonly broker: 'nats' | 'redis'
  readonly port: number
  /** Messages that are acked together. Default: each by itself. */
  readonly chunk?: number
}

/** Most messages that are taken and not acked, or sent and not confirmed: of ours and of the clients alone. */
export const [WINDOW, IN_FLIGHT] = [1_024, 256]
/** Ids that the broker remembers; each takes room for so long. */
export const DEDUPE_MS = 10_000

export const servers = (port: number): string => `nats://127.0.0.1:${port}`
export const url = (port: number): string => `redis://127.0.0.1:${port}`

/** source → a sink of the broker. */
export function intoBroker({ name, broker, port }: BrokerParams): GraphData {
  const sink =
    broker === 'nats'
      ? natsSink<SixFields>({ servers: servers(port), subject: name })
      : redisSink<SixFields>({ url: url(port), stream: name })
  return dataflow<BrokerParams>(name, import.meta.url)
    .source('in', { poll: feed(name, SIX_FIELDS) })
    .sink('out', sink)
    .connect('in', 'out')
}

/** A source of the broker → sink. */
export function outOfBroker({ name, broker, port, chunk }: BrokerParams): GraphData {
  const source =
    broker === 'nats'
      ? natsSource<SixFields>({ servers: servers(port), stream: name, consumer: name, window: WINDOW })
      : redisSource<SixFields>({ url: url(port), stream: name, group: name, window: WINDOW })
  return dataflow<BrokerParams>(name, import.meta.url)
    .source('in', { ...source, ...(chunk !== undefined && { chunk }) })
    .sink('out', { batch: { size: 256, timeoutMs: LAST_BATCH_MS }, write: tally(name, SIX_FIELDS) })
    .connect('in', 'out')
}

/** source → a buffer in the broker → sink. */
export function throughBroker({ name, broker, port }: BrokerParams): GraphData {
  const via: Via =
    broker === 'nats'
      ? { technology: 'nats', servers: servers(port), stream: name }
      : { technology: 'redis', url: url(port), stream: name }
  return dataflow<BrokerParams>(name, import.meta.url)
    .source('in', { poll: feed(name, SIX_FIELDS) })
    .buffer('queue', { capacity: 100_000, via })
    .sink('out', { batch: { size: 256, timeoutMs: LAST_BATCH_MS }, write: tally(name, SIX_FIELDS) })
    .connect('in', 'queue')
    .connect('queue', 'out')
}
