import type { ConfirmChannel } from 'amqplib'
import type { SetupContext } from '../../graph/types.ts'
import type { Publisher } from '../core/sink.ts'
import { RabbitLink, type RabbitServer } from './link.ts'

/** What a publisher is made of: options of `rabbitmqSink` with their defaults. */
interface RabbitPublisherOptions extends RabbitServer {
  readonly exchange: string
  readonly routingKeyOf: (record: unknown) => string
  /** The queue, where all records go to the same one without an exchange: it is looked for at the start. */
  readonly queue?: string
  readonly encode: (record: unknown) => string | Uint8Array
}

interface Outgoing {
  readonly routingKey: string
  readonly bytes: Buffer
}

/** The server says no to a message: its queue is full, or it cannot write. It is sent again. */
const NACKED = 'message nacked'

/** One worker's side of an exchange: each record is a message, named by the record's id, and done when the server has confirmed it. */
export class RabbitPublisher implements Publisher<Outgoing> {
  readonly #options: RabbitPublisherOptions
  readonly #link: RabbitLink
  #opening: Promise<ConfirmChannel> | undefined
  /** Messages that no queue takes, until they are confirmed. */
  readonly #returned = new Set<string>()
  /** Why the last channel was closed. */
  #lost: Error | undefined

  private constructor(options: RabbitPublisherOptions, link: RabbitLink) {
    this.#options = options
    this.#link = link
  }

  /** @throws CONNECTOR_NOT_INSTALLED, CONNECTOR_UNREACHABLE, CONNECTOR_REFUSED */
  static async open(options: RabbitPublisherOptions, context: SetupContext): Promise<RabbitPublisher> {
    const { exchange, queue } = options
    const link = await RabbitLink.open(options, context, (found) =>
      found.ask(async (channel) => {
        if (exchange !== '') await channel.checkExchange(exchange)
        if (queue !== undefined) await channel.checkQueue(queue)
      }),
    )
    return new RabbitPublisher(options, link)
  }

  encode(record: unknown): Outgoing {
    const { routingKeyOf, encode } = this.#options
    const message = encode(record)
    return { routingKey: routingKeyOf(record), bytes: Buffer.from(message as Uint8Array) }
  }

  async send({ routingKey, bytes }: Outgoing, id: string): Promise<void> {
    this.#opening ??= this.#openChannel()
    const channel = await this.#opening
    await new Promise<void>((resolve, reject) => {
      const options = { persistent: true, mandatory: true, messageId: id, contentType: 'application/json' }
      channel.publish(this.#options.exchange, routingKey, bytes, options, (error: Error | null) => {
        if (this.#returned.delete(id)) reject(new TypeError(`no queue takes the routing key ${routingKey}`))
        else if (error === null) resolve()
        else reject(error.message === NACKED ? error : (this.#lost ?? error))
      })
    })
  }

  isPassing(error: unknown): boolean {
    return this.#link.isPassing(error)
  }

  close(): Promise<void> {
    return this.#link.close()
  }

  async #openChannel(): Promise<ConfirmChannel> {
    const lost = (error?: Error): void => {
      this.#opening = undefined
      this.#lost ??= error
    }
    try {
      const channel = await this.#link.connection.createConfirmChannel()
      this.#lost = undefined
      channel.on('error', lost)
      channel.on('close', () => lost())
      channel.on('return', ({ properties }) => this.#returned.add(String(properties.messageId)))
      return channel
    } catch (error) {
      lost()
      throw error
    }
  }
}
