import type { Consumer, ConsumerMessages, JsMsg } from '@nats-io/jetstream'
import { errorText, MillraceError } from '../../errors.ts'
import type { SetupContext } from '../../graph/types.ts'
import { Backoff } from '../core/backoff.ts'
import type { Feed } from '../core/feed.ts'
import type { MessageIntake, QueueOptions } from '../core/queue.ts'
import { settledBy, type MessageEnds } from '../core/ends.ts'
import { NatsLink, type NatsServer } from './link.ts'
import { natsMessage } from './delivery.ts'
import type { NatsMessage, NatsReceipt } from './message.ts'
import { sleep } from '../../time.ts'

/** Options of `natsSource` with their defaults. */
interface NatsIntakeOptions extends NatsServer, QueueOptions<NatsMessage> {
  readonly stream: string
  readonly consumer: string
  readonly filter?: string
  readonly ackWaitMs: number
  /** Makes the stream, where it is not there. */
  readonly ensure?: (link: NatsLink) => Promise<unknown>
}

/** A pull stays open so long where no messages come: the client takes no less than a second. */
const [LEAST_PULL_MS, MOST_PULL_MS] = [1_000, 10_000]
const NANOS = 1e6
/** What a server is told of a message. */
const [ACK, TERM, WPI] = ['+ACK', '+TERM', '+WPI'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer]
/** At the end a server that does not answer is not waited for. */
const FLUSH_MS = 1_000

/** One worker's side of a consumer: pulls by the window, and settles what has ended. */
export class NatsIntake implements MessageIntake<NatsReceipt> {
  readonly #options: NatsIntakeOptions
  readonly #feed: Feed<NatsMessage>
  readonly #link: NatsLink
  readonly #node: string
  readonly #pulls = new Set<ConsumerMessages>()
  readonly #pulling = new Set<Promise<void>>()
  /** Of what is held, what it is acked with. */
  readonly #replies = new Map<number, string>()
  readonly #stopped = new AbortController()
  readonly #backoff: Backoff
  #consumer!: Consumer
  #isBroken = false
  #pullMs = MOST_PULL_MS
  keepMs = 0

  private constructor(options: NatsIntakeOptions, feed: Feed<NatsMessage>, link: NatsLink, node: string) {
    this.#options = options
    this.#feed = feed
    this.#backoff = new Backoff(feed.reach)
    this.#link = link
    this.#node = node
  }

  /** @throws CONNECTOR_NOT_INSTALLED, CONNECTOR_UNREACHABLE, CONNECTOR_REFUSED */
  static async open(options: NatsIntakeOptions, feed: Feed<NatsMessage>, context: SetupContext): Promise<NatsIntake> {
    const link = await NatsLink.open(options, context)
    const intake = new NatsIntake(options, feed, link, context.node)
    void link.connection
      .closed()
      .then((error) => feed.isStopped || feed.fail(intake.#refusal(error ?? 'the connection closed')))
    // Pulls that were open when the connection broke are gone at the server.
    link.onLost(() => {
      for (const pull of intake.#pulls) pull.stop()
    })
    try {
      await intake.#ensure()
      const { config } = await intake.#consumer.info(true)
      intake.keepMs = (config.ack_wait ?? options.ackWaitMs * NANOS) / NANOS / 2
      // The pull of a process that was killed has ended before its messages are delivered again. Servers without nats-server#5305 would meet it
      // then, and count their deliveries from 1.
      intake.#pullMs = Math.max(LEAST_PULL_MS, Math.min(MOST_PULL_MS, intake.keepMs / 2))
      return intake
    } catch (error) {
      await link.connection.close()
      throw error
    }
  }

  adopt(receipts: readonly NatsReceipt[]): void {
    for (const { id, reply } of receipts) this.#replies.set(id, reply)
  }

  async take(): Promise<void> {
    const { signal } = this.#stopped
    for (let messages = await this.#feed.ask(); messages > 0; messages = await this.#feed.ask()) {
      // What is asked of a server that is away is lost.
      while (!this.#link.isConnected && !signal.aborted) await this.#backoff.pause(signal)
      if (this.#isBroken && !signal.aborted) {
        await this.#backoff.pause(signal)
        await this.#repair()
      }
      if (!this.#isBroken) this.#backoff.reset()
      if (this.#feed.isStopped) break
      const pulling = this.#pull(messages)
      this.#pulling.add(pulling)
      void pulling.then(() => this.#pulling.delete(pulling))
    }
    await Promise.all(this.#pulling)
  }

  /** What the server sends in the meantime comes again after its ack wait. */
  async halt(): Promise<void> {
    this.#stopped.abort()
    const flushed = this.#link.connection.flush().catch(() => undefined)
    await Promise.race([flushed, sleep(FLUSH_MS)])
    for (const pull of this.#pulls) pull.stop()
  }

  /** What is published while there is no connection is lost with it, so it is said again. */
  async settle(all: MessageEnds<NatsReceipt>): Promise<void> {
    for (const receipt of all.done) this.#reply(receipt, ACK)
    for (const receipt of all.over) this.#reply(receipt, TERM)
    for (const { receipt, delayMs } of all.again)
      this.#reply(receipt, `-NAK ${JSON.stringify({ delay: delayMs * NANOS })}`)
    await this.#link.connection.flush()
    for (const { id } of settledBy(all)) this.#replies.delete(id)
  }

  /** Work may take longer than the server waits. */
  keep(): void {
    if (this.#link.connection.isClosed()) return
    for (const reply of this.#replies.values()) this.#link.connection.publish(reply, WPI)
  }

  isPassing(error: unknown): boolean {
    return this.#link.isPassing(error)
  }

  close(): Promise<void> {
    return this.#link.connection.close()
  }

  /** Finds the consumer, or makes it. @throws CONNECTOR_REFUSED */
  async #ensure(): Promise<void> {
    const { stream, consumer, filter, ackWaitMs } = this.#options
    const { manager, jetStream, client } = this.#link
    try {
      await this.#options.ensure?.(this.#link)
      await manager.consumers.info(stream, consumer).catch(async (error: unknown) => {
        if (!(error instanceof client.JetStreamApiError) || error.code !== NOT_FOUND) throw error
        await manager.consumers.add(stream, {
          durable_name: consumer,
          ack_policy: client.AckPolicy.Explicit,
          ack_wait: ackWaitMs * NANOS,
          // Each worker is bounded by its window. The server's own bound is shared by all, and stalls whoever acks in groups.
          max_ack_pending: -1,
          max_deliver: -1,
          ...(filter === undefined ? {} : { filter_subject: filter }),
        })
      })
      this.#consumer = await jetStream.consumers.get(stream, consumer)
    } catch (cause) {
      throw cause instanceof client.JetStreamApiError ? this.#refusal(cause) : cause
    }
  }

  #refusal(cause: unknown): MillraceError {
    const { stream, consumer, servers } = this.#options
    const detail = { node: this.#node, servers, stream, consumer, reason: errorText(cause).message }
    return new MillraceError('CONNECTOR_REFUSED', detail, { cause })
  }

  async #pull(messages: number): Promise<void> {
    let left = messages
    let pull: ConsumerMessages | undefined
    try {
      pull = await this.#consumer.fetch({ max_messages: messages, expires: this.#pullMs })
      this.#pulls.add(pull)
      for await (const message of pull) {
        left--
        this.#backoff.reset()
        this.#arrive(message)
      }
    } catch {
      // The consumer is gone, or JetStream is not there just now.
      this.#isBroken = true
    } finally {
      if (pull !== undefined) this.#pulls.delete(pull)
      this.#feed.forgo(left)
    }
  }

  /** The consumer may have been deleted under us: then there is a new one. Where the stream is gone too, there is nothing to wait for. */
  async #repair(): Promise<void> {
    try {
      await this.#ensure()
      this.#isBroken = false
    } catch (error) {
      if (error instanceof MillraceError) throw error
    }
  }

  #arrive(message: JsMsg): void {
    const arrived = natsMessage(message)
    const { sequence: id, deliveries } = arrived
    const receipt: NatsReceipt = { id, deliveries, reply: (message as unknown as { reply: string }).reply }
    this.#replies.set(id, receipt.reply)
    this.#feed.arrive(arrived, receipt)
  }

  /** It may have been delivered again since: then the last delivery counts. */
  #reply({ id, reply }: NatsReceipt, words: string | Uint8Array): void {
    this.#link.connection.publish(this.#replies.get(id) ?? reply, words)
  }
}

const NOT_FOUND = 10_014
