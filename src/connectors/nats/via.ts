import { brokerAddress, type Broker, type Hop } from '../../graph/broker.ts'
import type { Via } from '../../graph/types.ts'
import type { Given, NATS_VIA_OPTIONS, Resolved } from '../../options/index.ts'
import { type Envelope, hopOptions, hopReader, hopWriter, TERMS_HEADER, TRACE_HEADER } from '../core/hop.ts'
import { NatsIntake } from './intake.ts'
import type { NatsLink } from './link.ts'
import { type NatsMessage, STREAM_NOT_FOUND } from './message.ts'
import { ID_HEADER, NatsPublisher } from './publisher.ts'

/** Options of `nats`. */
export interface NatsViaOptions extends Given<typeof NATS_VIA_OPTIONS> {
  readonly stream: string
}

type Options = Resolved<typeof NATS_VIA_OPTIONS> & { readonly stream: string; readonly capacity: number }

/** All parts that read a buffer share this one. */
const CONSUMER = 'millrace'
const NANOS = 1e6

/** The address of a buffer in NATS JetStream, for the option `via` of a buffer: a stream that is a work queue. */
export function nats(options: NatsViaOptions): Via {
  return brokerAddress('nats', options, natsBroker)
}

/** How the two ends of such a buffer work. */
export const natsBroker: Broker = {
  writer: (hop) => {
    const options: Options = hopOptions(hop)
    const publisher = {
      ...options,
      confirmMs: 5_000,
      subjectOf: () => options.stream,
      encode: (envelope: unknown) => (envelope as Envelope).bytes,
      headersOf: (envelope: unknown) => headersOf(envelope as Envelope),
      ensure: (link: NatsLink) => ensureStream(link, options),
    }
    return hopWriter(hop, (context) => NatsPublisher.open(publisher, options.stream, context))
  },
  reader: (hop: Hop) => {
    const options: Options = hopOptions(hop)
    const intake = { ...options, consumer: CONSUMER, ensure: (link: NatsLink) => ensureStream(link, options) }
    return hopReader<NatsMessage, any>(hop, envelopeOf, (feed, context) =>
      NatsIntake.open({ ...intake, decode: (message) => message }, feed, context),
    )
  },
}

function headersOf({ terms, traceparent }: Envelope): Record<string, string> {
  return traceparent === undefined ? { [TERMS_HEADER]: terms } : { [TERMS_HEADER]: terms, [TRACE_HEADER]: traceparent }
}

function envelopeOf({ bytes, headers }: NatsMessage): Envelope | undefined {
  const { [TERMS_HEADER]: terms, [ID_HEADER]: id, [TRACE_HEADER]: traceparent } = headers
  return terms === undefined || id === undefined ? undefined : { id, bytes, terms, traceparent }
}

/** Finds the stream, or makes it: messages that are acked are gone, and no more are taken than the buffer holds. */
async function ensureStream({ manager, client }: NatsLink, { stream, capacity, dedupeMs }: Options): Promise<void> {
  try {
    await manager.streams.info(stream)
  } catch (error) {
    if (!(error instanceof client.JetStreamApiError) || error.code !== STREAM_NOT_FOUND) throw error
    await manager.streams.add({
      name: stream,
      subjects: [stream],
      retention: client.RetentionPolicy.Workqueue,
      discard: client.DiscardPolicy.New,
      max_msgs: capacity,
      duplicate_window: dedupeMs * NANOS,
    })
  }
}
