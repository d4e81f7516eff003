import { createHash } from 'node:crypto'
import type { SetupContext } from '../../graph/types.ts'
import { WriteGroups } from '../core/write-groups.ts'
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
 * Entries are added unless keys say that they were. KEYS: stream, a key for each id. ARGV: how long, how many entries there may be (0:
 * any number), then for each entry how many words XADD takes, and these. The answer has for each entry 0, or the error.
 */
const ADD_ONCE = `
local most = tonumber(ARGV[2])
local room = most > 0 and most - redis.call('XLEN', KEYS[1]) or #KEYS
local at = 3
local said = {}
for i = 2, #KEYS do
  local words = tonumber(ARGV[at])
  said[i - 1] = 0
  if redis.call('EXISTS', KEYS[i]) == 0 then
    if room <= 0 then
      said[i - 1] = '${STREAM_FULL}'
    else
      local answer = redis.pcall('SET', KEYS[i], 1, 'PX', ARGV[1])
      if not answer.err then
        answer = redis.pcall('XADD', KEYS[1], unpack(ARGV, at + 1, at + words))
        if type(answer) == 'table' and answer.err then redis.call('DEL', KEYS[i]) end
      end
      if type(answer) == 'table' and answer.err then
        said[i - 1] = answer.err
      else
        room = room - 1
      end
    end
  end
  at = at + words + 1
end
return said`
const ADD_ONCE_SHA = createHash('sha1').update(ADD_ONCE).digest('hex')

/** Entries of one script call: Redis does nothing else in the meantime. */
const MOST_ENTRIES = 128
/** Calls under way: the next one is on its way while the server works on this one. */
const CALLS = 2

interface Addition {
  readonly entry: readonly string[]
  readonly id: string
}

/** One worker's side of a stream: each record is an entry, and done when the server has it. */
export class RedisPublisher implements Publisher<readonly string[]> {
  readonly #options: RedisPublisherOptions
  readonly #link: RedisLink
  readonly #trim: readonly string[]
  readonly #groups = new WriteGroups<Addition>({ most: MOST_ENTRIES, atOnce: CALLS }, (additions) =>
    this.#addOnce(additions),
  )

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

  send(entry: readonly string[], id: string): Promise<unknown> {
    const { stream, dedupeMs } = this.#options
    if (dedupeMs === 0) return this.#link.client.sendCommand(['XADD', stream, ...entry])
    return this.#groups.add({ entry, id })
  }

  /** What an entry had for an answer, each by itself: one that is refused does not hold up others. */
  async #addOnce(additions: readonly Addition[]): Promise<readonly (Error | undefined)[]> {
    const { stream, dedupeMs, capacity = 0 } = this.#options
    const { client } = this.#link
    // The braces put all keys on one node of a cluster.
    const keys = additions.map(({ id }) => `{${stream}}:${id}`)
    const rest = [String(1 + keys.length), stream, ...keys, String(dedupeMs), String(capacity)]
    for (const { entry } of additions) rest.push(String(entry.length), ...entry)
    const said = (await client.sendCommand(['EVALSHA', ADD_ONCE_SHA, ...rest]).catch((error: unknown) => {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return client.sendCommand(['EVAL', ADD_ONCE, ...rest])
    })) as unknown as readonly (number | string)[]
    return said.map((each) => (typeof each === 'string' ? this.#link.errorOf(each) : undefined))
  }

  isPassing(error: unknown): boolean {
    return this.#link.isPassing(error)
  }

  close(): void {
    this.#link.close()
  }
}
