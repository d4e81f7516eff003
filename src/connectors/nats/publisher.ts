import { MillraceError, errorText } from '../../errors.ts'
import type { SetupContext } from '../../graph/types.ts'
import type { Publisher } from '../core/sink.ts'
import { NatsLink, type NatsServer } from './link.ts'

/** What a publisher is made of: options of `natsSink` with their defaults. */
interface NatsPublisherOptions extends NatsServer {
  readonly subjectOf: (record: unknown) => string
  readonly encode: (record: unknown) => string | Uint8Array
  readonly confirmMs: number
}

interface Outgoing {
  readonly subject: string
  readonly bytes: string | Uint8Array
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
      if (subject !== undefined && context.epoch === 0) await link.manager.streams.find(subject)
    } catch (cause) {
      await link.connection.close()
      const { node } = context
      const reason = errorText(cause).message
      throw new MillraceError('CONNECTOR_REFUSED', { node, servers: options.servers, subject, reason }, { cause })
    }
    return new NatsPublisher(options, link)
  }

  encode(record: unknown): Outgoing {
    return { subject: this.#options.subjectOf(record), bytes: this.#options.encode(record) }
  }

  async send({ subject, bytes }: Outgoing, id: string): Promise<void> {
    const { confirmMs } = this.#options
    // What is published now goes nowhere.
    if (!this.#link.isConnected) throw this.#lost()
    let end!: (error: Error) => void
    const lost = new Promise<never>((_, reject) => (end = reject))
    this.#waits.add(end)
    try {
      const published = this.#link.jetStream.publish(subject, bytes, { msgID: id, timeout: confirmMs })
      await Promise.race([published, lost])
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
