import type { Consumer, ConsumerMessages, JsMsg } from '@nats-io/jetstream'
import { errorText, MillraceError } from '../../errors.ts'
import { type AckContext, type Marked, type SetupContext, type SourceContext } from '../../graph/types.ts'
import { clearInterval, setInterval } from '../../time.ts'
import { Backoff, untilConfirmed, pause } from '../core/backoff.ts'
import { Feed } from '../core/feed.ts'
import { recordOfMessage } from '../core/record.ts'
import { verdicts } from '../core/verdict.ts'
import { NatsLink, type NatsServer } from './link.ts'
import { natsMessage } from './delivery.ts'
import type { NatsMessage, NatsReceipt } from './message.ts'

/** What a queue is made of: options of `natsSource` with their defaults. */
interface NatsQueueOptions extends NatsServer {
  readonly stream: string
  readonly consumer: string
  readonly filter?: string
  readonly ackWaitMs: number
  readonly window: number
  readonly maxDeliveries: number
  readonly redeliverMs: number
  readonly decode: (message: NatsMessage) => unknown
}

/** A pull stays open so long where no messages come. */
const PULL_MS = 10_000
const NANOS = 1e6
/** At the end a server that does not answer is not waited for. */
const FLUSH_MS = 1_000

/** One worker's side of a consumer: pulls by the window, and settles what has ended. */
export class NatsQueue {
  readonly #options: NatsQueueOptions
  readonly #context: SetupContext
  readonly #feed: Feed<unknown>
  readonly #pulls = new Set<ConsumerMessages>()
  readonly #pulling = new Set<Promise<void>>()
  /** Of what is held, what it is acked with. */
  readonly #replies = new Map<number, string>()
  readonly #ready: Promise<void>
  readonly #closed = new AbortController()
  #opened: NatsLink | undefined
  #consumer!: Consumer
  readonly #backoff = new Backoff()
  #isReady = false
  #isBroken = false
  #alive: NodeJS.Timeout | undefined

  private constructor(options: NatsQueueOptions, context: SetupContext) {
    this.#options = options
    this.#context = context
    this.#feed = new Feed(options.window)
    this.#ready = this.#start()
  }

  /** @throws CONNECTOR_NOT_INSTALLED, CONNECTOR_UNREACHABLE, CONNECTOR_REFUSED */
  static async open(options: NatsQueueOptions, context: SetupContext): Promise<NatsQueue> {
    const queue = new NatsQueue(options, context)
    // A worker that is replaced starts without its server too.
    if (context.epoch === 0) await queue.#ready
    else queue.#ready.catch((error: unknown) => queue.#feed.fail(error))
    return queue
  }

  /** Once it is ready. */
  get #link(): NatsLink {
    return this.#opened!
  }

  poll(demand: number, context: SourceContext): Promise<readonly Marked<unknown>[]> | readonly Marked<unknown>[] {
    if (this.#isReady) return this.#feed.take(demand, context.signal)
    return this.#begin(context).then(() => this.#feed.take(demand, context.signal))
  }

  /** What an earlier life has sent on is not taken again, and kept from being delivered again. */
  async #begin({ receipts, signal }: SourceContext): Promise<void> {
    this.#isReady = true
    for (const { sequence, reply } of receipts as readonly NatsReceipt[]) this.#replies.set(sequence, reply)
    this.#feed.adopt((receipts as readonly NatsReceipt[]).map(({ sequence }) => sequence))
    await Promise.race([this.#ready.catch(() => undefined), aborted(signal)])
    signal.addEventListener('abort', () => void this.#stop())
    void this.#pump()
  }

  async ack(successes: readonly unknown[], failures: readonly unknown[], context: AckContext): Promise<void> {
    await this.#ready
    const { done, again, over } = verdicts<NatsReceipt>(successes, failures, context, this.#options)
    await this.#say(() => {
      for (const receipt of done) this.#reply(receipt, '+ACK')
      for (const receipt of over) this.#reply(receipt, '+TERM')
      for (const { receipt, delayMs } of again)
        this.#reply(receipt, `-NAK ${JSON.stringify({ delay: delayMs * NANOS })}`)
    })
    const settled = [...done, ...over, ...again.map(({ receipt }) => receipt)].map(({ sequence }) => sequence)
    for (const sequence of settled) this.#replies.delete(sequence)
    this.#feed.settle(settled)
  }

  async close(): Promise<void> {
    await this.#stop()
    clearInterval(this.#alive)
    this.#closed.abort()
    await this.#opened?.connection.close()
  }

  /** Takes no more, and gives back what was not polled. What the server sends in the meantime comes again after its ack wait. */
  async #stop(): Promise<void> {
    this.#feed.stop()
    await Promise.race([this.#ready.catch(() => undefined), aborted(this.#closed.signal)])
    if (this.#opened === undefined) return
    const { connection } = this.#link
    await Promise.race([connection.flush().catch(() => undefined), pause(FLUSH_MS, this.#closed.signal)])
    for (const pull of this.#pulls) pull.stop()
    await Promise.all(this.#pulling)
    for (const { receipt } of this.#feed.giveBack()) {
      const { sequence, reply } = receipt as NatsReceipt
      this.#replies.delete(sequence)
      if (!connection.isClosed()) connection.publish(reply, '-NAK')
    }
    await Promise.race([connection.flush().catch(() => undefined), pause(FLUSH_MS, this.#closed.signal)])
  }

  async #start(): Promise<void> {
    this.#opened = await NatsLink.open(this.#options, this.#context)
    const closed = this.#link.connection.closed()
    void closed.then(
      (error) => this.#feed.isStopped || this.#feed.fail(this.#refusal(error ?? 'the connection closed')),
    )
    // Pulls that were open when the connection broke are gone at the server.
    this.#link.onLost(() => {
      for (const pull of this.#pulls) pull.stop()
    })
    await this.#ensure()
    const { config } = await this.#consumer.info(true)
    const everyMs = (config.ack_wait ?? this.#options.ackWaitMs * NANOS) / NANOS / 2
    this.#alive = setInterval(() => this.#keep(), everyMs)
  }

  /** Finds the consumer, or makes it. @throws CONNECTOR_REFUSED */
  async #ensure(): Promise<void> {
    const { stream, consumer, filter, ackWaitMs } = this.#options
    const { manager, jetStream, client } = this.#link
    try {
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
    const { node } = this.#context
    const reason = errorText(cause).message
    return new MillraceError('CONNECTOR_REFUSED', { node, servers, stream, consumer, reason }, { cause })
  }

  async #pump(): Promise<void> {
    const { signal } = this.#closed
    for (;;) {
      const messages = await this.#feed.ask()
      if (messages === 0) return
      // What is asked of a server that is away is lost.
      while (!this.#link.isConnected && !signal.aborted) await this.#backoff.pause(signal)
      if (this.#isBroken) {
        await this.#backoff.pause(signal)
        await this.#repair()
      }
      const pulling = this.#pull(messages)
      this.#pulling.add(pulling)
      void pulling.then(() => this.#pulling.delete(pulling))
    }
  }

  async #pull(messages: number): Promise<void> {
    let left = messages
    let pull: ConsumerMessages | undefined
    try {
      pull = await this.#consumer.fetch({ max_messages: messages, expires: PULL_MS })
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
    if (this.#feed.isStopped) return
    try {
      await this.#ensure()
      this.#isBroken = false
    } catch (error) {
      if (error instanceof MillraceError) this.#feed.fail(error)
    }
  }

  #arrive(message: JsMsg): void {
    const arrived = natsMessage(message)
    const { sequence, deliveries } = arrived
    const reply = (message as unknown as { reply: string }).reply
    this.#replies.set(sequence, reply)
    this.#feed.arrive(
      sequence,
      recordOfMessage(arrived, { reply, sequence, deliveries }, this.#options, {
        stream: this.#options.stream,
        sequence,
      }),
    )
  }

  /** It may have been delivered again since: then the last delivery counts. */
  #reply({ sequence, reply }: NatsReceipt, text: string): void {
    this.#link.connection.publish(this.#replies.get(sequence) ?? reply, text)
  }

  /** Work may take longer than the server waits. */
  #keep(): void {
    if (this.#link.connection.isClosed()) return
    for (const reply of this.#replies.values()) this.#link.connection.publish(reply, '+WPI')
  }

  /** What is published while there is no connection is lost with it, so it is said again. */
  async #say(publish: () => void): Promise<void> {
    const say = (): Promise<void> => {
      publish()
      return this.#link.connection.flush()
    }
    await untilConfirmed(say, (error) => this.#link.isPassing(error), this.#closed.signal)
  }
}

const NOT_FOUND = 10_014

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
