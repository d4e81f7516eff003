import { createHash } from 'node:crypto'
import type { SetupContext } from '../../graph/types.ts'
import type { Publisher } from '../core/sink.ts'
import { STREAM_FULL, RedisLink, type RedisServer } from './link.ts'

/** What a publisher is made of: options of `redisSink` with their defaults. */
interface RedisPublisherOptions extends RedisServer {
  readonly stream: string
  readonly encode: (record: unknown) => Readonly<Record<string, string>>
  readonly dedupeMs: number
  readonly maxLength?: number
  /** Entries that the stream holds before a writer waits. */
  readonly capacity?: number
}

/**
 * An entry is added unless a key says that it was. KEYS: stream, key of the id. ARGV: how long, how many entries there may be (0:
 * any number), then what XADD takes.
 */
const ADD_ONCE = `
if redis.call('EXISTS', KEYS[2]) == 1 then return false end
local most = tonumber(ARGV[2])
if most > 0 and redis.call('XLEN', KEYS[1]) >= most then return redis.error_reply('${STREAM_FULL}') end
redis.call('SET', KEYS[2], 1, 'PX', ARGV[1])
return redis.call('XADD', KEYS[1], unpack(ARGV, 3))`
const ADD_ONCE_SHA = createHash('sha1').update(ADD_ONCE).digest('hex')

/** One worker's side of a stream: each record is an entry, and done when the server has it. */
export class RedisPublisher implements Publisher<readonly string[]> {
  readonly #options: RedisPublisherOptions
  readonly #link: RedisLink
  readonly #trim: readonly string[]

  private constructor(options: RedisPublisherOptions, link: RedisLink) {
    this.#options = options
    this.#link = link
    this.#trim = options.maxLength === undefined ? [] : ['MAXLEN', '~', String(options.maxLength)]
  }

  /** @throws CONNECTOR_NOT_INSTALLED, CONNECTOR_UNREACHABLE, CONNECTOR_REFUSED */
  static async open(options: RedisPublisherOptions, context: SetupContext): Promise<RedisPublisher> {
    return new RedisPublisher(options, await RedisLink.open(options, context))
  }

  /** What XADD takes. */
  encode(record: unknown): readonly string[] {
    return [...this.#trim, '*', ...Object.entries(this.#options.encode(record)).flat()]
  }

  async send(entry: readonly string[], id: string): Promise<void> {
    const { stream, dedupeMs, capacity = 0 } = this.#options
    const { client } = this.#link
    if (dedupeMs === 0) return void (await client.sendCommand(['XADD', stream, ...entry]))
    // The braces put both keys on one node of a cluster.
    const rest = ['2', stream, `{${stream}}:${id}`, String(dedupeMs), String(capacity), ...entry]
    try {
      await client.sendCommand(['EVALSHA', ADD_ONCE_SHA, ...rest])
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      await client.sendCommand(['EVAL', ADD_ONCE, ...rest])
    }
  }

  isPassing(error: unknown): boolean {
    return this.#link.isPassing(error)
  }

  close(): void {
    this.#link.close()
  }
}
