import { hostname } from 'node:os'
import { errorText, MillraceError } from '../../errors.ts'
import type { SetupContext } from '../../graph/types.ts'
import { monotonicMs, sleep } from '../../time.ts'
import { Backoff, untilConfirmed } from '../core/backoff.ts'
import type { Feed } from '../core/feed.ts'
import type { MessageIntake, QueueOptions } from '../core/queue.ts'
import type { MessageEnds } from '../core/ends.ts'
import { Claims, type Entry } from './claims.ts'
import { RedisLink, type RedisServer } from './link.ts'
import type { RedisMessage, RedisReceipt } from './message.ts'

/** Options of `redisSource` with their defaults. */
interface RedisIntakeOptions extends RedisServer, QueueOptions<RedisMessage> {
  readonly stream: string
  readonly group: string
  readonly claimMs: number
  /** No other group reads the stream: entries that are acked are deleted. */
  readonly isSole?: boolean
}

/** A read waits so long for an entry: after it, it looks for entries that others have left. */
const MOST_BLOCK_MS = 1_000
/** At the end a server that does not answer is not waited for. */
const LEAVE_MS = 1_000

/** One worker's side of a consumer group: one connection waits for entries, the other one tells what became of them. */
export class RedisIntake implements MessageIntake<RedisReceipt> {
  readonly #options: RedisIntakeOptions
  readonly #context: SetupContext
  readonly #consumer: string
  readonly #feed: Feed<RedisMessage>
  readonly #reader: RedisLink
  readonly #teller: RedisLink
  readonly #claims: Claims
  readonly #stopped = new AbortController()
  #readerId: Promise<number> | undefined
  /** When failed entries are to be looked for. */
  #dueAt = Infinity
  /** When entries that others have left are to be looked for. */
  #claimAt = 0
  readonly #blockMs: number
  readonly keepMs: number

  private constructor(
    options: RedisIntakeOptions,
    feed: Feed<RedisMessage>,
    context: SetupContext,
    links: { readonly reader: RedisLink; readonly teller: RedisLink },
  ) {
    const { stream, group, claimMs, isSole = false } = options
    this.#options = options
    this.#feed = feed
    this.#context = context
    this.#consumer = `${hostname()}-${process.pid}-${context.node}-${context.worker}`
    this.#reader = links.reader
    this.#teller = links.teller
    this.#claims = new Claims(links.teller, { stream, group, consumer: this.#consumer, isSole }, claimMs)
    this.keepMs = claimMs / 2
    this.#blockMs = Math.min(MOST_BLOCK_MS, claimMs / 4)
  }

  /** @throws CONNECTOR_NOT_INSTALLED, CONNECTOR_UNREACHABLE, CONNECTOR_REFUSED */
  static async open(
    options: RedisIntakeOptions,
    feed: Feed<RedisMessage>,
    context: SetupContext,
  ): Promise<RedisIntake> {
    const teller = await RedisLink.open(options, context)
    const reader = await RedisLink.open(options, context)
    const intake = new RedisIntake(options, feed, context, { reader, teller })
    try {
      await intake.#join()
      return intake
    } catch (cause) {
      intake.#disconnect()
      throw intake.#refusal(cause)
    }
  }

  /** What an earlier life had read and not sent on comes first. */
  async take(): Promise<void> {
    let from = this.#context.epoch > 0 ? '0' : '>'
    const backoff = new Backoff(this.#feed.reach)
    for (let most = await this.#feed.ask(); most > 0; most = await this.#feed.ask()) {
      try {
        await this.#read(most, from)
        from = '>'
        backoff.reset()
      } catch (error) {
        await this.#bear(error, backoff)
      }
    }
  }

  /** The read that waits is ended by the server. */
  async halt(): Promise<void> {
    this.#stopped.abort()
    await this.#teller.client.sendCommand(['CLIENT', 'UNBLOCK', String(await this.#readerId)])
  }

  async settle({ done, over, again }: MessageEnds<RedisReceipt>): Promise<void> {
    await Promise.all([
      this.#claims.ack([...done, ...over].map(({ id }) => id)),
      ...again.map(({ receipt, delayMs }) => this.#claims.keep([receipt.id], delayMs)),
    ])
    const soonest = Math.min(...again.map(({ delayMs }) => delayMs), this.#options.claimMs)
    if (again.length > 0) this.#dueAt = Math.min(this.#dueAt, monotonicMs() + soonest)
  }

  keep(): void {
    this.#claims.keep([...this.#feed.held] as string[]).catch(() => undefined)
  }

  isPassing(error: unknown): boolean {
    return this.#teller.isPassing(error)
  }

  /** A consumer that has nothing left leaves its group. */
  async close(): Promise<void> {
    if (this.#feed.held.size === 0) await Promise.race([this.#claims.leave().catch(() => undefined), sleep(LEAVE_MS)])
    this.#disconnect()
  }

  #disconnect(): void {
    this.#teller.close()
    this.#reader.close()
  }

  #join(): Promise<void> {
    return untilConfirmed(
      () => this.#claims.join(),
      (error) => this.isPassing(error),
      this.#stopped.signal,
    )
  }

  #refusal(cause: unknown): MillraceError {
    const { stream, group } = this.#options
    const reason = errorText(cause).message
    return new MillraceError('CONNECTOR_REFUSED', { node: this.#context.node, stream, group, reason }, { cause })
  }

  /** The server is away, or the stream was deleted under us: then there is a new one. Anything else is not borne. */
  async #bear(error: unknown, backoff: Backoff): Promise<void> {
    await backoff.pause(this.#stopped.signal)
    if (this.#feed.isStopped || this.#reader.isPassing(error)) return
    if (!(error instanceof Error && error.message.startsWith('NOGROUP'))) throw this.#refusal(error)
    await this.#join()
  }

  /** Looks for entries that others have left, or that failed: now and then, while there are new ones. */
  #mayClaim(): boolean {
    const now = monotonicMs()
    if (now < Math.min(this.#claimAt, this.#dueAt)) return false
    this.#claimAt = now + this.#blockMs
    return true
  }

  /** @param from `0` for what this consumer has read and not acked, `>` for what nobody has read */
  async #read(most: number, from: string): Promise<void> {
    let left = most
    const arrive = (entries: readonly Entry[], deliveries: (index: number) => number): void => {
      for (const [i, { id, message }] of entries.entries()) {
        left--
        const receipt: RedisReceipt = { id, deliveries: deliveries(i) }
        this.#feed.arrive({ ...receipt, fields: { ...message } }, receipt)
      }
    }
    try {
      const claimed = from === '>' && this.#mayClaim() ? await this.#claims.take(most) : []
      const counts = await this.#claims.deliveriesOf(claimed.map(({ id }) => id))
      arrive(claimed, (i) => counts[i]!)
      this.#dueAt = Math.max(this.#dueAt, monotonicMs())
      // What was found may be followed by more.
      if (claimed.length > 0) {
        this.#claimAt = 0
        return
      }
      if (this.#feed.isStopped) return
      // The answer comes before that of the read, which is sent along.
      this.#readerId = this.#reader.client.clientId()
      this.#readerId.catch(() => undefined)
      const { group, stream } = this.#options
      const nextAt = Math.min(this.#claimAt, this.#dueAt)
      const blockMs = Math.max(1, Math.min(this.#blockMs, nextAt - monotonicMs()))
      if (this.#dueAt - monotonicMs() <= 0) {
        // Another look after this read, and then again only now and then.
        this.#dueAt = Infinity
        this.#claimAt = 0
      }
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
}
