import { hostname } from 'node:os'
import { errorText, MillraceError } from '../../errors.ts'
import { type AckContext, type Marked, type SetupContext, type SourceContext } from '../../graph/types.ts'
import { clearInterval, monotonicMs, setInterval } from '../../time.ts'
import { Backoff, pause, untilConfirmed } from '../core/backoff.ts'
import { Feed } from '../core/feed.ts'
import { recordOfMessage } from '../core/record.ts'
import { verdicts } from '../core/verdict.ts'
import { Claims, type Entry } from './claims.ts'
import { RedisLink, type RedisServer } from './link.ts'
import type { RedisMessage, RedisReceipt } from './message.ts'

/** What a queue is made of: options of `redisSource` with their defaults. */
interface RedisQueueOptions extends RedisServer {
  readonly stream: string
  readonly group: string
  readonly claimMs: number
  readonly window: number
  readonly maxDeliveries: number
  readonly redeliverMs: number
  readonly decode: (message: RedisMessage) => unknown
}

/** A read waits so long for an entry: after it, it looks for entries that others have left. */
const MOST_BLOCK_MS = 1_000
/** At the end a server that does not answer is not waited for. */
const END_MS = 5_000

/** One worker's side of a consumer group: one connection waits for entries, the other one tells what became of them. */
export class RedisQueue {
  readonly #options: RedisQueueOptions
  readonly #context: SetupContext
  readonly #consumer: string
  readonly #feed: Feed<unknown>
  readonly #closed = new AbortController()
  readonly #ready: Promise<void>
  #reader!: RedisLink
  #teller!: RedisLink
  #claims!: Claims
  #alive: NodeJS.Timeout | undefined
  #reading: Promise<void> | undefined
  #readerId: Promise<number> | undefined
  /** When failed entries are to be looked for. */
  #dueAt = Infinity

  private constructor(options: RedisQueueOptions, context: SetupContext) {
    this.#options = options
    this.#context = context
    this.#consumer = `${hostname()}-${process.pid}-${context.node}-${context.worker}`
    this.#feed = new Feed(options.window)
    this.#ready = this.#start()
  }

  /** @throws CONNECTOR_NOT_INSTALLED, CONNECTOR_UNREACHABLE, CONNECTOR_REFUSED */
  static async open(options: RedisQueueOptions, context: SetupContext): Promise<RedisQueue> {
    const queue = new RedisQueue(options, context)
    // A worker that is replaced starts without its server too.
    if (context.epoch === 0) await queue.#ready
    else queue.#ready.catch((error: unknown) => queue.#feed.fail(error))
    return queue
  }

  poll(demand: number, context: SourceContext): Promise<readonly Marked<unknown>[]> | readonly Marked<unknown>[] {
    this.#reading ??= this.#begin(context)
    return this.#feed.take(demand, context.signal)
  }

  async ack(successes: readonly unknown[], failures: readonly unknown[], context: AckContext): Promise<void> {
    await this.#ready
    const { done, again, over } = verdicts<RedisReceipt>(successes, failures, context, this.#options)
    const ended = [...done, ...over].map(({ id }) => id)
    await this.#confirmed(async () => {
      await Promise.all([
        this.#claims.ack(ended),
        ...again.map(({ receipt, delayMs }) => this.#claims.keep([receipt.id], delayMs)),
      ])
    })
    const soonest = Math.min(...again.map(({ delayMs }) => delayMs), this.#options.claimMs)
    if (again.length > 0) this.#dueAt = Math.min(this.#dueAt, monotonicMs() + soonest)
    this.#feed.settle([...ended, ...again.map(({ receipt }) => receipt.id)])
  }

  async close(): Promise<void> {
    await this.#stop()
    this.#closed.abort()
    this.#reader?.close()
    this.#teller?.close()
  }

  /** Takes no more, and gives back what was not polled. */
  async #stop(): Promise<void> {
    this.#feed.stop()
    clearInterval(this.#alive)
    const giveBack = async (): Promise<void> => {
      await this.#ready
      // The read that waits is ended by the server, so that nothing is on its way.
      await this.#teller.client.sendCommand(['CLIENT', 'UNBLOCK', String(await this.#readerId)])
      await this.#reading
      const back = this.#feed.giveBack().map(({ receipt }) => (receipt as RedisReceipt).id)
      await this.#claims.keep(back, 0)
      this.#feed.settle(back)
      if (this.#feed.held.size === 0) await this.#claims.leave()
    }
    await Promise.race([giveBack().catch(() => undefined), pause(END_MS, this.#closed.signal)])
  }

  async #start(): Promise<void> {
    const { stream, group, claimMs } = this.#options
    this.#teller = await RedisLink.open(this.#options, this.#context)
    this.#reader = await RedisLink.open(this.#options, this.#context)
    this.#claims = new Claims(this.#teller, { stream, group, consumer: this.#consumer }, claimMs)
    try {
      await this.#confirmed(() => this.#claims.join())
    } catch (cause) {
      this.#teller.close()
      this.#reader.close()
      throw this.#refusal(cause)
    }
    this.#alive = setInterval(() => {
      this.#claims.keep([...this.#feed.held] as string[]).catch(() => undefined)
    }, claimMs / 2)
  }

  #refusal(cause: unknown): MillraceError {
    const { stream, group } = this.#options
    const reason = errorText(cause).message
    return new MillraceError('CONNECTOR_REFUSED', { node: this.#context.node, stream, group, reason }, { cause })
  }

  /** What an earlier life has sent on is not taken again; what it had read and not sent on comes first. */
  async #begin({ receipts, signal }: SourceContext): Promise<void> {
    this.#feed.adopt((receipts as readonly RedisReceipt[]).map(({ id }) => id))
    signal.addEventListener('abort', () => void this.#stop())
    let from = this.#context.epoch > 0 ? '0' : '>'
    const backoff = new Backoff()
    try {
      await this.#ready
      for (let most = await this.#feed.ask(); most > 0; most = await this.#feed.ask()) {
        try {
          await this.#read(most, from)
          from = '>'
          backoff.reset()
        } catch (error) {
          await this.#bear(error, backoff)
        }
      }
    } catch (error) {
      this.#feed.fail(error)
    }
  }

  /** The server is away, or the stream was deleted under us: then there is a new one. Anything else is not borne. */
  async #bear(error: unknown, backoff: Backoff): Promise<void> {
    await backoff.pause(this.#closed.signal)
    if (this.#feed.isStopped || this.#reader.isPassing(error)) return
    if (!(error instanceof Error && error.message.startsWith('NOGROUP'))) throw this.#refusal(error)
    await this.#confirmed(() => this.#claims.join())
  }

  /** @param from `0` for what this consumer has read and not acked, `>` for what nobody has read */
  async #read(most: number, from: string): Promise<void> {
    let left = most
    const arrive = (entries: readonly Entry[], deliveries: (index: number) => number): void => {
      for (const [i, { id, message }] of entries.entries()) {
        left--
        const receipt: RedisReceipt = { id, deliveries: deliveries(i) }
        const arrived = { ...receipt, fields: { ...message } }
        this.#feed.arrive(id, recordOfMessage(arrived, receipt, this.#options, { stream: this.#options.stream, id }))
      }
    }
    try {
      const claimed = from === '>' ? await this.#claims.take(most) : []
      const counts = await this.#claims.deliveriesOf(claimed.map(({ id }) => id))
      arrive(claimed, (i) => counts[i]!)
      this.#dueAt = Math.max(this.#dueAt, monotonicMs())
      // What was found may be followed by more.
      if (claimed.length > 0) return
      this.#readerId = this.#reader.client.clientId()
      await this.#readerId
      if (this.#feed.isStopped) return
      const { group, stream, claimMs } = this.#options
      const blockMs = Math.max(1, Math.min(MOST_BLOCK_MS, claimMs / 4, this.#dueAt - monotonicMs()))
      if (this.#dueAt - monotonicMs() <= 0) this.#dueAt = Infinity
      const read = await this.#reader.client.xReadGroup(
        group,
        this.#consumer,
        { key: stream, id: from },
        { COUNT: left, BLOCK: Math.ceil(blockMs) },
      )
      const entries = ((read as readonly { messages: readonly Entry[] }[] | null)?.[0]?.messages ?? []).filter(
        ({ id }) => !this.#feed.held.has(id),
      )
      const again = from === '0' ? await this.#claims.deliveriesOf(entries.map(({ id }) => id)) : []
      arrive(entries, (i) => again[i] ?? 1)
    } finally {
      this.#feed.forgo(left)
    }
  }

  #confirmed(act: () => Promise<void>): Promise<void> {
    return untilConfirmed(act, (error) => this.#teller.isPassing(error), this.#closed.signal)
  }
}
