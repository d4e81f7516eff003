import { MillraceError, errorText } from '../../errors.ts'
import type { SetupContext } from '../../graph/types.ts'
import type { Publisher } from '../core/sink.ts'
import type { MsgHdrs } from '@nats-io/transport-node'
import { Confirms } from './confirms.ts'
import { NatsLink, type NatsServer } from './link.ts'

/** What a publisher is made of: options of `natsSink` with their defaults. */
interface NatsPublisherOptions extends NatsServer {
  readonly subjectOf: (record: unknown) => string
  readonly encode: (record: unknown) => string | Uint8Array
  readonly confirmMs: number
  readonly headersOf?: (record: unknown) => Readonly<Record<string, string>>
  /** Makes what the subject needs at the server, where it is not there. */
  readonly ensure?: (link: NatsLink) => Promise<unknown>
}

/** Names a message: the stream takes one of a name once. */
export const ID_HEADER = 'Nats-Msg-Id'

interface Outgoing {
  readonly subject: string
  readonly bytes: string | Uint8Array
  readonly headers: MsgHdrs
}

/** One worker's side of a subject: each record is a message, named by the record's id, and done when its stream has it. */
export class NatsPublisher implements Publisher<Outgoing> {
  readonly #options: NatsPublisherOptions
  readonly #link: NatsLink
  readonly #confirms: Confirms

  private constructor(options: NatsPublisherOptions, link: NatsLink) {
    this.#options = options
    this.#link = link
    this.#confirms = new Confirms(link, options.confirmMs)
  }

  /**
   * @param subject if all records have one: it is looked for at the start
   * @throws CONNECTOR_NOT_INSTALLED, CONNECTOR_UNREACHABLE, CONNECTOR_REFUSED
   */
  static async open(
    options: NatsPublisherOptions,
    subject: string | undefined,
    context: SetupContext,
  ): Promise<NatsPublisher> {
    const link = await NatsLink.open(options, context)
    try {
      if (context.epoch === 0) await (options.ensure?.(link) ?? (subject && link.manager.streams.find(subject)))
    } catch (cause) {
      await link.connection.close()
      const { node } = context
      const reason = errorText(cause).message
      throw new MillraceError('CONNECTOR_REFUSED', { node, servers: options.servers, subject, reason }, { cause })
    }
    return new NatsPublisher(options, link)
  }

  encode(record: unknown): Outgoing {
    const { subjectOf, encode, headersOf } = this.#options
    const headers = this.#link.client.headers()
    if (headersOf !== undefined) for (const [name, value] of Object.entries(headersOf(record))) headers.set(name, value)
    return { subject: subjectOf(record), bytes: encode(record), headers }
  }

  async send({ subject, bytes, headers }: Outgoing, id: string): Promise<void> {
    headers.set(ID_HEADER, id)
    try {
      await this.#confirms.publish(subject, bytes, headers)
    } catch (error) {
      if (this.#options.ensure === undefined || !this.#link.isUnanswered(error)) throw error
      // The stream was deleted under us: then there is a new one.
      await this.#options.ensure(this.#link)
      throw this.#confirms.lost()
    }
  }

  isPassing(error: unknown): boolean {
    return this.#link.isPassing(error)
  }

  close(): Promise<void> {
    this.#confirms.close()
    return this.#link.connection.close()
  }
}
