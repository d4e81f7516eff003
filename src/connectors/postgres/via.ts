import { brokerAddress, type Broker, type Hop } from '../../graph/broker.ts'
import type { Via } from '../../graph/types.ts'
import type { Given, POSTGRES_VIA_OPTIONS, Resolved } from '../../options/index.ts'
import { type Envelope, hopOptions, hopReader, hopWriter } from '../core/hop.ts'
import { PostgresIntake } from './intake.ts'
import type { PostgresParcel } from './message.ts'
import { type NewParcel, ParcelPublisher } from './parcels.ts'

/** Options of `postgres`. */
export interface PostgresViaOptions extends Given<typeof POSTGRES_VIA_OPTIONS> {
  readonly url: string
  readonly table: string
}

type Options = Resolved<typeof POSTGRES_VIA_OPTIONS> & PostgresViaOptions & { readonly capacity: number }

/** The address of a buffer in PostgreSQL, for the option `via` of a buffer: a table that is a queue. */
export function postgres(options: PostgresViaOptions): Via {
  return brokerAddress('postgres', options, postgresBroker)
}

/** How the two ends of such a buffer work. */
export const postgresBroker: Broker = {
  writer: (hop) => {
    const options: Options = hopOptions(hop)
    const publisher = { ...options, encode: (envelope: unknown) => parcelOf(envelope as Envelope) }
    return hopWriter(hop, (context) => ParcelPublisher.open(publisher, context))
  },
  reader: (hop: Hop) => {
    const options: Options = hopOptions(hop)
    const intake = { ...options, keptMs: options.dedupeMs, decode: (message: PostgresParcel) => message }
    return hopReader<PostgresParcel, any>(hop, envelopeOf, (feed, context) =>
      PostgresIntake.open<PostgresParcel>(intake, feed, context),
    )
  },
}

/** JSON as it is; other bytes as base64, for the column is text. */
function parcelOf({ id, bytes, terms, traceparent }: Envelope): NewParcel {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(isText(terms) ? 'utf8' : 'base64')
  return { name: id, terms, trace: traceparent ?? null, body }
}

function envelopeOf({ name, terms, trace, body }: PostgresParcel): Envelope {
  const bytes = Buffer.from(body, isText(terms) ? 'utf8' : 'base64')
  return { id: name, terms, traceparent: trace ?? undefined, bytes }
}

function isText(terms: string): boolean {
  return terms.includes(' json ')
}
