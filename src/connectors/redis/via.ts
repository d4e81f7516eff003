import { brokerAddress, type Broker, type Hop } from '../../graph/broker.ts'
import type { Via } from '../../graph/types.ts'
import type { Given, REDIS_VIA_OPTIONS, Resolved } from '../../options/index.ts'
import { type Envelope, hopOptions, hopReader, hopWriter, TERMS_HEADER, TRACE_HEADER } from '../core/hop.ts'
import { RedisIntake } from './intake.ts'
import { DATA_FIELD, type RedisMessage } from './message.ts'
import { RedisPublisher } from './publisher.ts'

/** Options of `redis`. */
export interface RedisViaOptions extends Given<typeof REDIS_VIA_OPTIONS> {
  readonly stream: string
}

type Options = Resolved<typeof REDIS_VIA_OPTIONS> & { readonly stream: string; readonly capacity: number }

/** All parts that read a buffer are in this group. */
const GROUP = 'millrace'
const ID_FIELD = 'id'

/** The address of a buffer in Redis, for the option `via` of a buffer: a stream with one consumer group. */
export function redis(options: RedisViaOptions): Via {
  return brokerAddress('redis', options, redisBroker)
}

/** How the two ends of such a buffer work. */
export const redisBroker: Broker = {
  writer: (hop) => {
    const options: Options = hopOptions(hop)
    const publisher = { ...options, encode: (envelope: unknown) => fieldsOf(envelope as Envelope) }
    return hopWriter(hop, (context) => RedisPublisher.open(publisher, context))
  },
  reader: (hop: Hop) => {
    const options: Options = hopOptions(hop)
    const intake = { ...options, group: GROUP, isSole: true, decode: (message: RedisMessage) => message }
    return hopReader<RedisMessage, any>(hop, envelopeOf, (feed, context) => RedisIntake.open(intake, feed, context))
  },
}

/** JSON as it is; other bytes as base64, for a field is text. */
function fieldsOf({ id, bytes, terms, traceparent }: Envelope): Record<string, string> {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(isText(terms) ? 'utf8' : 'base64')
  const trace = traceparent === undefined ? {} : { [TRACE_HEADER]: traceparent }
  return { [ID_FIELD]: id, [TERMS_HEADER]: terms, ...trace, [DATA_FIELD]: data }
}

function envelopeOf({ fields }: RedisMessage): Envelope | undefined {
  const { [ID_FIELD]: id, [TERMS_HEADER]: terms, [TRACE_HEADER]: traceparent, [DATA_FIELD]: data } = fields
  if (id === undefined || terms === undefined || data === undefined) return undefined
  return { id, terms, traceparent, bytes: Buffer.from(data, isText(terms) ? 'utf8' : 'base64') }
}

function isText(terms: string): boolean {
  return terms.includes(' json ')
}
