import { brokerAddress, type Broker, type Hop } from '../../graph/broker.ts'
import type { Via } from '../../graph/types.ts'
import type { Given, RABBITMQ_VIA_OPTIONS, Resolved } from '../../options/index.ts'
import { type Envelope, hopOptions, hopReader, hopWriter, TERMS_HEADER, TRACE_HEADER } from '../core/hop.ts'
import { ensureQueue, RabbitIntake } from './intake.ts'
import type { RabbitLink } from './link.ts'
import type { RabbitMessage } from './message.ts'
import { RabbitPublisher } from './publisher.ts'

/** Options of `rabbitmq`. */
export interface RabbitmqViaOptions extends Given<typeof RABBITMQ_VIA_OPTIONS> {
  readonly queue: string
}

type Options = Resolved<typeof RABBITMQ_VIA_OPTIONS> & { readonly queue: string; readonly capacity: number }

/** The broker knows no ids: each reader passes over those that it has seen last. */
const REMEMBERED_IDS = 65_536

/** The address of a buffer in RabbitMQ, for the option `via` of a buffer: a quorum queue. */
export function rabbitmq(options: RabbitmqViaOptions): Via {
  return brokerAddress('rabbitmq', options, rabbitmqBroker)
}

/** How the two ends of such a buffer work. */
export const rabbitmqBroker: Broker = {
  writer: (hop) => {
    const options: Options = hopOptions(hop)
    const publisher = {
      ...options,
      exchange: '',
      routingKeyOf: () => options.queue,
      encode: (envelope: unknown) => (envelope as Envelope).bytes,
      headersOf: (envelope: unknown) => headersOf(envelope as Envelope),
      ensure: (link: RabbitLink) => ensureQueue(link, options),
    }
    return hopWriter(hop, (context) => RabbitPublisher.open(publisher, context))
  },
  reader: (hop: Hop) => {
    const options: Options = hopOptions(hop)
    const intake = { ...options, remembers: REMEMBERED_IDS, decode: (message: RabbitMessage) => message }
    return hopReader<RabbitMessage, any>(hop, envelopeOf, (feed, context) => RabbitIntake.open(intake, feed, context))
  },
}

function headersOf({ terms, traceparent }: Envelope): Record<string, string> {
  return traceparent === undefined ? { [TERMS_HEADER]: terms } : { [TERMS_HEADER]: terms, [TRACE_HEADER]: traceparent }
}

function envelopeOf({ id, bytes, headers }: RabbitMessage): Envelope | undefined {
  const { [TERMS_HEADER]: terms, [TRACE_HEADER]: traceparent } = headers as Record<string, string | undefined>
  return terms === undefined || id === undefined ? undefined : { id, bytes, terms, traceparent }
}
