import type { Channel, RecoveringChannelModel } from 'amqplib'
import { errorText, MillraceError } from '../../errors.ts'
import type { SetupContext } from '../../graph/types.ts'
import { loadClient } from '../core/client.ts'

/** Where a server is, and who asks. */
export interface RabbitServer {
  readonly url: string
  readonly user?: string
  readonly password?: string
  readonly connectMs: number
}

const RECONNECT_MS = 200
const HEARTBEAT_SECONDS = 10
/** Replies of AMQP that say no for good: content too large, access refused, not found, locked, precondition failed, not allowed. */
const REFUSALS: ReadonlySet<unknown> = new Set([311, 403, 404, 405, 406, 530])

/** One worker's connection. The client reconnects by itself, for ever; channels are opened again by those who use them. */
export class RabbitLink {
  readonly connection: RecoveringChannelModel

  private constructor(connection: RecoveringChannelModel) {
    this.connection = connection
  }

  /**
   * Connects, and looks. In a worker's first life it fails where the server is away: a wrong address is better found at the start. A
   * worker that is replaced waits for the server instead.
   * @param look asks the server whether what is needed is there
   * @throws CONNECTOR_NOT_INSTALLED, CONNECTOR_UNREACHABLE, CONNECTOR_REFUSED
   */
  static async open(
    server: RabbitServer,
    { node, worker, epoch, degraded }: SetupContext,
    look: (link: RabbitLink) => Promise<void>,
  ): Promise<RabbitLink> {
    const { connect } = await loadClient('amqplib', () => import('amqplib'))
    let link: RabbitLink | undefined
    try {
      const connection = await connect(addressOf(server), {
        timeout: server.connectMs,
        clientProperties: { connection_name: `millrace ${node}.${worker}` },
        recovery: { calculateDelay: () => RECONNECT_MS, initialMaxRetries: epoch > 0 ? Infinity : 0 },
      })
      // Each call says by itself what went wrong.
      connection.on('error', () => undefined)
      // Calls wait for the next connection, and say nothing meanwhile.
      connection.on('disconnect', (error?: Error) => degraded(error?.message ?? 'the connection is lost'))
      connection.on('connect', () => degraded(undefined))
      link = new RabbitLink(connection)
      if (epoch === 0) await look(link)
      return link
    } catch (cause) {
      await link?.close()
      throw refusalOf(cause, { node, server: placeOf(server.url) })
    }
  }

  /** Opens a channel for something short. What the server refuses closes the channel, and is thrown. */
  async ask<T>(act: (channel: Channel) => Promise<T>): Promise<T> {
    const channel = await this.connection.createChannel()
    // The call that was refused rejects too.
    channel.on('error', () => undefined)
    const answer = await act(channel)
    await channel.close()
    return answer
  }

  /** The error says only that the server cannot be reached now. */
  isPassing(error: unknown): boolean {
    return (
      error instanceof Error &&
      !(error instanceof MillraceError || error instanceof TypeError || error instanceof RangeError) &&
      !isRefusal(error)
    )
  }

  async close(): Promise<void> {
    await this.connection.close().catch(() => undefined)
  }
}

/** What a server says that says no, or why it is not there. */
export function refusalOf(cause: unknown, where: Readonly<Record<string, string>>): MillraceError {
  const code = isRefusal(cause) ? 'CONNECTOR_REFUSED' : 'CONNECTOR_UNREACHABLE'
  return new MillraceError(code, { ...where, reason: errorText(cause).message }, { cause })
}

/** The server has answered, and says no. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code: unknown = Reflect.get(error, 'code') ?? /: (\d{3}) /.exec(error.message)?.[1]
  return REFUSALS.has(Number(code))
}

function addressOf({ url, user, password }: RabbitServer): string {
  const address = new URL(url)
  if (user !== undefined) address.username = encodeURIComponent(user)
  if (password !== undefined) address.password = encodeURIComponent(password)
  if (!address.searchParams.has('heartbeat')) address.searchParams.set('heartbeat', String(HEARTBEAT_SECONDS))
  return address.href
}

/** As it may stand in a message. */
export function placeOf(url: string): string {
  const { host, pathname } = new URL(url)
  return host + pathname
}
