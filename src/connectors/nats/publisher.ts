import { MillraceError, errorText } from '../../errors.ts'
import type { SetupContext } from '../../graph/types.ts'
import type { Publisher } from '../core/sink.ts'
import type { MsgHdrs } from '@nats-io/transport-node'
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

interface Outgoing {
  readonly subject: string
  readonly bytes: string | Uint8Array
  readonly headers?: MsgHdrs
}

/** One worker's side of a subject: each record is a message, named by the record's id, and done when its stream has it. */
export class NatsPublisher implements Publisher<Outgoing> {
  readonly #options: NatsPublisherOptions
  readonly #link: NatsLink
  /** Ends of the waits for a confirmation. */
  readonly #waits = new Set<(error: Error) => void>()

  private constructor(options: NatsPublisherOptions, link: NatsLink) {
    this.#options = options
    this.#link = link
    link.onLost(() => {
      // What a lost connection was to bring does not come.
      for (const end of this.#waits) end(this.#lost())
    })
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
    const outgoing = { subject: subjectOf(record), bytes: encode(record) }
    return headersOf === undefined ? outgoing : { ...outgoing, headers: this.#headers(headersOf(record)) }
  }

  #headers(values: Readonly<Record<string, string>>): MsgHdrs {
    const headers = this.#link.client.headers()
    for (const [name, value] of Object.entries(values)) headers.set(name, value)
    return headers
  }

  async send({ subject, bytes, headers }: Outgoing, id: string): Promise<void> {
    const { confirmMs } = this.#options
    // What is published now goes nowhere.
    if (!this.#link.isConnected) throw this.#lost()
    let end!: (error: Error) => void
    const lost = new Promise<never>((_, reject) => (end = reject))
    this.#waits.add(end)
    try {
      const options = { msgID: id, timeout: confirmMs, ...(headers && { headers }) }
      const published = this.#link.jetStream.publish(subject, bytes, options)
      await Promise.race([published, lost])
    } catch (error) {
      if (this.#options.ensure === undefined || !this.#link.isUnanswered(error)) throw error
      // The stream was deleted under us: then there is a new one.
      await this.#options.ensure(this.#link)
      throw this.#lost()
    } finally {
      this.#waits.delete(end)
    }
  }

  isPassing(error: unknown): boolean {
    return this.#link.isPassing(error)
  }

  #lost(): Error {
    return new this.#link.client.RequestError('the connection is lost')
  }

  close(): Promise<void> {
    return this.#link.connection.close()
  }
}
