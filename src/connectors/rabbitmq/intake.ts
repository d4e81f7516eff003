import type { Channel, ConsumeMessage } from 'amqplib'
import type { SetupContext } from '../../graph/types.ts'
import { clearTimeout, setTimeout } from '../../time.ts'
import { Backoff } from '../core/backoff.ts'
import type { Feed } from '../core/feed.ts'
import type { MessageIntake, QueueOptions } from '../core/queue.ts'
import type { MessageEnds } from '../core/ends.ts'
import { placeOf, RabbitLink, type RabbitServer, refusalOf } from './link.ts'
import type { RabbitMessage, RabbitReceipt } from './message.ts'

/** Options of `rabbitmqSource` with their defaults. */
interface RabbitIntakeOptions extends RabbitServer, QueueOptions<RabbitMessage> {
  readonly queue: string
  /** Records that the queue takes before it refuses more, where it is made. */
  readonly capacity?: number
  /** Messages that are done whose ids are remembered: one with such an id is done too. */
  readonly remembers?: number
}

/** What becomes of a message for good. */
type End = 'ack' | 'reject'

const NOT_FOUND = 404

/**
 * One worker's side of a queue: the server sends until `window` messages are not settled. Deliveries belong to their channel: when it
 * is lost, the server delivers them again, perhaps to others.
 */
export class RabbitIntake implements MessageIntake<RabbitReceipt> {
  readonly #options: RabbitIntakeOptions
  readonly #feed: Feed<RabbitMessage>
  readonly #context: SetupContext
  readonly #link: RabbitLink
  /** Of the present channel, by message: the tags of its deliveries. There are several where a message was sent twice. */
  readonly #tags = new Map<string, number[]>()
  /** Of the present channel: what is not settled, oldest first. */
  readonly #open = new Set<number>()
  /** Ends of messages whose channel was lost before. They are settled when they are delivered again. */
  readonly #late = new Map<string, End>()
  /** Ids of what was done last, oldest first. */
  readonly #done = new Set<string>()
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #stopped = new AbortController()
  readonly #backoff: Backoff
  #channel: Channel | undefined
  #channels = 0

  private constructor(
    options: RabbitIntakeOptions,
    feed: Feed<RabbitMessage>,
    context: SetupContext,
    link: RabbitLink,
  ) {
    this.#options = options
    this.#feed = feed
    this.#backoff = new Backoff(feed.reach)
    this.#context = context
    this.#link = link
  }

  /** @throws CONNECTOR_NOT_INSTALLED, CONNECTOR_UNREACHABLE, CONNECTOR_REFUSED */
  static async open(
    options: RabbitIntakeOptions,
    feed: Feed<RabbitMessage>,
    context: SetupContext,
  ): Promise<RabbitIntake> {
    const link = await RabbitLink.open(options, context, (found) => ensureQueue(found, options))
    return new RabbitIntake(options, feed, context, link)
  }

  /** One channel after the other: each ends with its connection, with its queue, or when the server cannot bear it any more. */
  async take(): Promise<void> {
    const { queue, url } = this.#options
    while (!this.#feed.isStopped) {
      try {
        await ensureQueue(this.#link, this.#options)
        await this.#consume()
      } catch (error) {
        if (this.#feed.isStopped) return
        if (!this.isPassing(error) && !isNotFound(error))
          throw refusalOf(error, { node: this.#context.node, server: placeOf(url), queue })
      }
      await this.#backoff.pause(this.#stopped.signal)
    }
  }

  /** The server sends no more; what it sent before its answer has come. */
  async halt(): Promise<void> {
    this.#stopped.abort()
    await this.#channel?.cancel(CONSUMER).catch(() => undefined)
  }

  /** A message that failed is kept back for its pause: the server itself knows none. */
  settle({ done, over, again }: MessageEnds<RabbitReceipt>): Promise<void> {
    this.#ack(done.flatMap(({ id }) => this.#end(id, 'ack')))
    this.#remember(done)
    this.#reject(
      over.flatMap(({ id }) => this.#end(id, 'reject')),
      false,
    )
    for (const { receipt, delayMs } of again) {
      const tags = this.#takeOut(receipt.id)
      if (delayMs === 0) this.#reject(tags, true)
      else this.#rejectIn(delayMs, tags)
    }
    return Promise.resolve()
  }

  isPassing(error: unknown): boolean {
    return this.#link.isPassing(error)
  }

  /** What is not settled goes back to the queue. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    await this.#channel?.close().catch(() => undefined)
    await this.#link.close()
  }

  /** Resolves when the channel has ended, or is to take no more. */
  async #consume(): Promise<void> {
    const channel = await this.#link.connection.createChannel()
    const name = `${this.#context.epoch}.${++this.#channels}`
    this.#channel = channel
    await new Promise<void>((resolve, reject) => {
      const lost = (error?: Error): void => {
        this.#channel = undefined
        this.#tags.clear()
        this.#open.clear()
        if (error === undefined) resolve()
        else reject(error)
      }
      // Its last words are those of a server that no longer waits for an ack: that passes.
      channel.on('error', () => lost())
      channel.on('close', () => lost())
      this.#stopped.signal.addEventListener('abort', () => resolve())
      const consuming = async (): Promise<void> => {
        await channel.prefetch(this.#options.window)
        await channel.consume(
          this.#options.queue,
          (message) => {
            if (message !== null) this.#arrive(message, name)
            // The queue was deleted.
            else void channel.close().catch(() => undefined)
          },
          { consumerTag: CONSUMER },
        )
        this.#backoff.reset()
      }
      consuming().catch(lost)
    })
  }

  #arrive(message: ConsumeMessage, channel: string): void {
    const { fields, properties, content } = message
    const messageId = properties.messageId as string | undefined
    const id = messageId ?? `${channel}.${fields.deliveryTag}`
    this.#open.add(fields.deliveryTag)
    if (this.#done.has(id)) return this.#ack([fields.deliveryTag])
    const late = this.#late.get(id)
    if (late !== undefined) {
      this.#late.delete(id)
      return late === 'ack' ? this.#ack([fields.deliveryTag]) : this.#reject([fields.deliveryTag], false)
    }
    const tags = this.#tags.get(id)
    if (tags === undefined) this.#tags.set(id, [fields.deliveryTag])
    else tags.push(fields.deliveryTag)
    const deliveries = deliveriesOf(message, this.#options.maxDeliveries)
    const { exchange, routingKey } = fields
    const { contentType, headers } = properties
    this.#feed.admit(
      {
        id: messageId,
        bytes: content,
        headers: { ...headers },
        exchange,
        routingKey,
        contentType: contentType as string | undefined,
        deliveries,
      },
      { id, deliveries },
    )
  }

  #remember(done: readonly RabbitReceipt[]): void {
    const { remembers = 0 } = this.#options
    if (remembers === 0) return
    for (const { id } of done) this.#done.add(id)
    for (const id of this.#done) {
      if (this.#done.size <= remembers) return
      this.#done.delete(id)
    }
  }

  /** The deliveries of a message that has ended for good. */
  #end(id: string, end: End): readonly number[] {
    const tags = this.#takeOut(id)
    if (tags.length > 0) return tags
    this.#late.set(id, end)
    if (this.#late.size > this.#options.window) this.#late.delete(this.#late.keys().next().value!)
    return tags
  }

  #takeOut(id: string): readonly number[] {
    const tags = this.#tags.get(id) ?? []
    this.#tags.delete(id)
    return tags
  }

  /**
   * All up to the first one that is open is one ack. A quorum queue takes 32 at a time, and what waits for that is lost with the
   * channel: so few are better than many.
   */
  #ack(tags: readonly number[]): void {
    const acked = new Set(tags)
    let upTo: number | undefined
    for (const tag of this.#open) {
      if (!acked.delete(tag)) break
      this.#open.delete(tag)
      upTo = tag
    }
    if (upTo !== undefined) this.#say((channel) => channel.ack(delivery(upTo), true))
    for (const tag of acked) {
      this.#open.delete(tag)
      this.#say((channel) => channel.ack(delivery(tag)))
    }
  }

  #reject(tags: readonly number[], isToComeAgain: boolean): void {
    for (const tag of tags) {
      this.#open.delete(tag)
      this.#say((channel) => channel.nack(delivery(tag), false, isToComeAgain))
    }
  }

  #rejectIn(ms: number, tags: readonly number[]): void {
    const channel = this.#channel
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      if (channel === this.#channel) this.#reject(tags, true)
    }, ms)
    this.#timers.add(timer)
  }

  /** Where the channel has just been lost, the server delivers again what was open. */
  #say(say: (channel: Channel) => void): void {
    try {
      if (this.#channel !== undefined) say(this.#channel)
    } catch (error) {
      if (!this.isPassing(error)) throw error
    }
  }
}

/** What the client looks at of a delivery. */
function delivery(deliveryTag: number): ConsumeMessage {
  return { fields: { deliveryTag } } as ConsumeMessage
}

/** The tag is one of its channel alone. */
const CONSUMER = 'millrace'

/** Finds the queue, or makes it: durable, on several nodes, and counting deliveries. One that exists is used as it is. */
export async function ensureQueue(
  link: RabbitLink,
  { queue, capacity }: { readonly queue: string; readonly capacity?: number },
): Promise<void> {
  try {
    await link.ask((channel) => channel.checkQueue(queue))
  } catch (error) {
    if (!isNotFound(error)) throw error
    const bound = capacity === undefined ? {} : { 'x-max-length': capacity, 'x-overflow': 'reject-publish' }
    const durable = { durable: true, arguments: { 'x-queue-type': 'quorum', ...bound } }
    await link.ask((channel) => channel.assertQueue(queue, durable))
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && Reflect.get(error, 'code') === NOT_FOUND
}

/** A quorum queue counts deliveries that failed. Another one says only that there was one: then this one is the last. */
function deliveriesOf({ fields, properties }: ConsumeMessage, most: number): number {
  const failed: unknown = properties.headers?.['x-delivery-count']
  if (typeof failed === 'number') return failed + 1
  return fields.redelivered ? most : 1
}
