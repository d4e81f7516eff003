import type * as Redis from 'redis'
import { errorText, MillraceError } from '../../errors.ts'
import type { SetupContext } from '../../graph/types.ts'
import { loadClient } from '../core/client.ts'

/** Where a server is, and who asks. */
export interface RedisServer {
  readonly url: string
  readonly user?: string
  readonly password?: string
  readonly connectMs: number
}

type Client = ReturnType<typeof clientOf>

/** Its type says what the client can do with these options. */
function clientOf(
  redis: typeof Redis,
  server: RedisServer,
  name: string,
  reconnectStrategy: (cause: Error) => number | Error,
) {
  return redis.createClient({
    url: server.url,
    name,
    pingInterval: PING_MS,
    socket: { connectTimeout: server.connectMs, reconnectStrategy: (_, cause) => reconnectStrategy(cause) },
    ...(server.user === undefined ? {} : { username: server.user }),
    ...(server.password === undefined ? {} : { password: server.password }),
  })
}

const RECONNECT_MS = 200
const PING_MS = 5_000
/** What the script answers where a stream has as many entries as it may. */
export const STREAM_FULL = 'FULL the stream has as many entries as it may'
/** Answers of a server that will give another one in a while. */
const BUSY = /^(FULL|LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|OOM) /

/** One connection. The client reconnects by itself, for ever. */
export class RedisLink {
  readonly client: Client
  readonly #redis: typeof Redis

  private constructor(redis: typeof Redis, client: Client) {
    this.#redis = redis
    this.client = client
  }

  /**
   * Connects. In a worker's first life it fails where the server is away: a wrong address is better found at the start. A worker
   * that is replaced waits for the server instead.
   * @throws CONNECTOR_NOT_INSTALLED, CONNECTOR_UNREACHABLE, CONNECTOR_REFUSED
   */
  static async open(server: RedisServer, { node, worker, epoch }: SetupContext): Promise<RedisLink> {
    const redis = await loadClient('redis', () => import('redis'))
    let isPatient = epoch > 0
    const name = `millrace-${node}-${worker}`
    const client = clientOf(redis, server, name, (cause) => (isPatient ? RECONNECT_MS : cause))
    // Each command says by itself what went wrong.
    client.on('error', () => undefined)
    try {
      await client.connect()
      isPatient = true
      return new RedisLink(redis, client)
    } catch (error) {
      if (client.isOpen) client.destroy()
      const cause: unknown = error instanceof redis.ReconnectStrategyError ? error.originalError : error
      const code = cause instanceof redis.ErrorReply ? 'CONNECTOR_REFUSED' : 'CONNECTOR_UNREACHABLE'
      throw new MillraceError(
        code,
        { node, url: withoutPassword(server.url), reason: errorText(cause).message },
        { cause },
      )
    }
  }

  /** The error says only that the server cannot be reached now, or answers too late. */
  isPassing(error: unknown): boolean {
    if (error instanceof this.#redis.ErrorReply) return BUSY.test(error.message)
    return error instanceof Error && !(error instanceof TypeError) && this.client.isOpen
  }

  /** What the server has said of a part of a command. */
  errorOf(answer: string): Error {
    return new this.#redis.ErrorReply(answer)
  }

  close(): void {
    if (this.client.isOpen) this.client.destroy()
  }
}

/** As it may stand in a message. */
function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//')
}
