import type { AckContext, Marked, PolledBatch, SetupContext, SourceContext, SourceOptions } from '../../graph/types.ts'
import { clearInterval, setInterval, sleep } from '../../time.ts'
import { Reach, untilConfirmed } from './backoff.ts'
import { Feed, type FeedOptions } from './feed.ts'
import type { MessageReceipt } from './receipt.ts'
import { type MessageEnds, settledBy, messageEnds, untried } from './ends.ts'

/** What a connector does for one worker at its server: takes messages into a feed, and settles them. */
export interface MessageIntake<R extends MessageReceipt> {
  /** How often `keep` is called, in ms. */
  readonly keepMs?: number
  /** Learns the messages of this worker's earlier lives, before `take`. */
  adopt?(receipts: readonly R[]): void
  /** Takes messages until the feed is stopped. @throws where the server will never give any more */
  take(): Promise<void>
  /** The feed is stopped: ends what `take` waits for, so that nothing is on its way. */
  halt(): Promise<void> | void
  /** Resolves when the server has it. What is settled twice must be the same as settled once. */
  settle(ends: MessageEnds<R>): Promise<unknown>
  /** Tells the server that the messages in the feed are still worked on. */
  keep?(): unknown
  /** The error says only that the server cannot be reached now, or answers too late. */
  isPassing(error: unknown): boolean
  close(): Promise<void> | void
}

/** Options of a queue, with their defaults. */
export interface QueueOptions<M> extends FeedOptions<M> {
  readonly redeliverMs: number
}

/** At the end a server that does not answer is not waited for. */
const END_MS = 5_000

/** One worker's side of a queue at a server. */
export class MessageQueue<R extends MessageReceipt = any> {
  readonly #options: QueueOptions<any>
  readonly #feed: Feed
  readonly #ready: Promise<MessageIntake<R>>
  /** Once it is ready. */
  #intake: MessageIntake<R> | undefined
  readonly #closed = new AbortController()
  #taking: Promise<void> | undefined
  #stopping: Promise<void> | undefined
  #alive: NodeJS.Timeout | undefined

  private constructor(options: QueueOptions<any>, feed: Feed, opening: Promise<MessageIntake<R>>) {
    this.#options = options
    this.#feed = feed
    this.#ready = opening.then(async (intake) => {
      // It may have taken longer than the worker was there.
      if (this.#closed.signal.aborted) await intake.close()
      return (this.#intake = intake)
    })
  }

  /** A worker that is replaced starts without its server too. @throws what `opening` throws in a worker's first life */
  static async open<R extends MessageReceipt>(
    options: QueueOptions<any>,
    feed: Feed,
    opening: Promise<MessageIntake<R>>,
    { epoch }: SetupContext,
  ): Promise<MessageQueue<R>> {
    const queue = new MessageQueue(options, feed, opening)
    if (epoch === 0) await queue.#ready
    else queue.#ready.catch((error: unknown) => feed.fail(error))
    return queue
  }

  poll(demand: number, context: SourceContext): readonly Marked<unknown>[] | Promise<readonly Marked<unknown>[]> {
    this.#taking ??= this.#take(context)
    return this.#feed.take(demand, context.signal)
  }

  async ack(successes: readonly unknown[], failures: readonly unknown[], context: AckContext): Promise<void> {
    const all = messageEnds<R>(successes, failures, context, this.#options)
    await this.#settle(await this.#ready, all)
  }

  /** Gives back what was not polled, and leaves. */
  async close(): Promise<void> {
    await this.#stop()
    clearInterval(this.#alive)
    this.#closed.abort()
    await this.#intake?.close()
  }

  /** What an earlier life has sent on is not taken again, and kept. */
  async #take({ receipts, signal }: SourceContext): Promise<void> {
    this.#feed.adopt(receipts as readonly R[])
    signal.addEventListener('abort', () => void this.#stop())
    try {
      const intake = await this.#ready
      intake.adopt?.(receipts as readonly R[])
      if (intake.keepMs !== undefined) this.#alive = setInterval(() => intake.keep?.(), intake.keepMs)
      if (!this.#feed.isStopped) await intake.take()
    } catch (error) {
      this.#feed.fail(error)
    }
  }

  /** Takes no more, and gives back what was not polled. What is in the graph is kept until it ends. */
  #stop(): Promise<void> {
    this.#feed.stop()
    const giveBack = async (intake: MessageIntake<R>): Promise<void> => {
      await intake.halt?.()
      await this.#taking
      const back = this.#feed.giveBack() as readonly R[]
      if (back.length > 0) await this.#settle(intake, untried(back))
    }
    this.#stopping ??=
      this.#intake === undefined
        ? Promise.resolve()
        : Promise.race([giveBack(this.#intake).catch(() => undefined), sleep(END_MS, this.#closed.signal)])
    return this.#stopping
  }

  async #settle(intake: MessageIntake<R>, all: MessageEnds<R>): Promise<void> {
    await untilConfirmed(
      () => intake.settle(all),
      (error) => intake.isPassing(error),
      this.#closed.signal,
      this.#feed.reach,
    )
    this.#feed.settle(settledBy(all))
  }
}

/**
 * The node options of a source of messages.
 * @param origin names the queue in errors
 */
export function queueSource<T, M extends { readonly deliveries: number }, R extends MessageReceipt>(
  options: QueueOptions<M>,
  origin: Readonly<Record<string, string>>,
  open: (feed: Feed<M>, context: SetupContext) => Promise<MessageIntake<R>>,
): SourceOptions<T, MessageQueue> {
  return {
    window: options.window,
    setup: (context) => {
      const feed = new Feed(options, origin, new Reach(context))
      return MessageQueue.open(options, feed, open(feed, context), context)
    },
    poll: (demand, context) => context.state.poll(demand, context) as PolledBatch<T>,
    ack: (successes, failures, context) => context.state.ack(successes, failures, context),
    teardown: (state) => state.close(),
  }
}
