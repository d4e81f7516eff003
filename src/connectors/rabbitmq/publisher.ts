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
  readonly headersOf?: (record: unknown) => Readonly<Record<string, string>>
  /** Makes the queue, where it is not there. */
  readonly ensure?: (link: RabbitLink) => Promise<unknown>
}

interface Outgoing {
  readonly routingKey: string
  readonly bytes: Buffer
  readonly headers?: Readonly<Record<string, string>>
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
    const { exchange, queue, ensure } = options
    const link = await RabbitLink.open(options, context, async (found) => {
      await ensure?.(found)
      await found.ask(async (channel) => {
        if (exchange !== '') await channel.checkExchange(exchange)
        if (queue !== undefined) await channel.checkQueue(queue)
      })
    })
    return new RabbitPublisher(options, link)
  }

  encode(record: unknown): Outgoing {
    const { routingKeyOf, encode, headersOf } = this.#options
    const message = encode(record)
    const outgoing = { routingKey: routingKeyOf(record), bytes: Buffer.from(message as Uint8Array) }
    return headersOf === undefined ? outgoing : { ...outgoing, headers: headersOf(record) }
  }

  async send({ routingKey, bytes, headers }: Outgoing, id: string): Promise<void> {
    this.#opening ??= this.#openChannel()
    const channel = await this.#opening
    await new Promise<void>((resolve, reject) => {
      const type = headers === undefined ? { contentType: 'application/json' } : { headers }
      const options = { persistent: true, mandatory: true, messageId: id, ...type }
      channel.publish(this.#options.exchange, routingKey, bytes, options, (error: Error | null) => {
        if (this.#returned.delete(id)) reject(this.#unroutable(routingKey))
        else if (error === null) resolve()
        else reject(error.message === NACKED ? error : (this.#lost ?? error))
      })
    })
  }

  /** Where the queue was deleted under us, there is a new one. */
  #unroutable(routingKey: string): Error {
    const text = `no queue takes the routing key ${routingKey}`
    const { ensure } = this.#options
    if (ensure === undefined) return new TypeError(text)
    void ensure(this.#link).catch(() => undefined)
    return new Error(text)
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
