import type * as JetStream from '@nats-io/jetstream'
import type * as Transport from '@nats-io/transport-node'
import { errorText, MillraceError } from '../../errors.ts'
import type { SetupContext } from '../../graph/types.ts'
import { loadClient } from '../core/client.ts'

/** Where a server is, and who asks. */
export interface NatsServer {
  readonly servers: string
  readonly user?: string
  readonly password?: string
  readonly token?: string
  readonly connectMs: number
}

type Client = Omit<typeof JetStream & typeof Transport, 'default'>

const RECONNECT_MS = 200
const PING_MS = 10_000
/** The stream is full, or cannot write now. */
const NOT_STORED = 10_077

/** One worker's connection. The client reconnects by itself, for ever. */
export class NatsLink {
  readonly connection: Transport.NatsConnection
  readonly client: Client
  readonly jetStream: JetStream.JetStreamClient
  readonly manager: JetStream.JetStreamManager
  isConnected = true
  readonly #onLost: (() => void)[] = []

  private constructor(connection: Transport.NatsConnection, client: Client, manager: JetStream.JetStreamManager) {
    this.connection = connection
    this.client = client
    this.manager = manager
    this.jetStream = client.jetstream(connection)
    void this.#watch()
  }

  /**
   * Connects. In a worker's first life it fails where the server is away: a wrong address is better found at the start. A worker
   * that is replaced waits for the server instead.
   * @throws CONNECTOR_NOT_INSTALLED, CONNECTOR_UNREACHABLE, CONNECTOR_REFUSED
   */
  static async open(server: NatsServer, { node, worker, epoch }: SetupContext): Promise<NatsLink> {
    const client = await loadClient('@nats-io/transport-node @nats-io/jetstream', async () => ({
      ...(await import('@nats-io/transport-node')),
      ...(await import('@nats-io/jetstream')),
    }))
    const options: Transport.ConnectionOptions = {
      servers: server.servers.split(',').map((address) => address.trim()),
      name: `millrace ${node}.${worker}`,
      timeout: server.connectMs,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_MS,
      waitOnFirstConnect: epoch > 0,
      pingInterval: PING_MS,
      ...(server.user === undefined ? {} : { user: server.user }),
      ...(server.password === undefined ? {} : { pass: server.password }),
      ...(server.token === undefined ? {} : { token: server.token }),
    }
    let connection: Transport.NatsConnection | undefined
    try {
      connection = await client.connect(options)
      const manager = await client.jetstreamManager(connection, { timeout: server.connectMs })
      return new NatsLink(connection, client, manager)
    } catch (cause) {
      void connection?.close()
      const code = isRefusal(cause, client) ? 'CONNECTOR_REFUSED' : 'CONNECTOR_UNREACHABLE'
      throw new MillraceError(code, { node, servers: server.servers, reason: errorText(cause).message }, { cause })
    }
  }

  /** `act` is called whenever the connection is lost. */
  onLost(act: () => void): void {
    this.#onLost.push(act)
  }

  /** The error says only that the server cannot be reached now, or answers too late. */
  isPassing(error: unknown): boolean {
    const { client } = this
    if (error instanceof client.TimeoutError) return true
    if (error instanceof client.JetStreamApiError) return error.code === NOT_STORED
    if (!(error instanceof Error) || error instanceof client.ClosedConnectionError) return false
    const cause = error instanceof client.RequestError && error.cause !== undefined ? error.cause : error
    // No stream takes the subject, or JetStream is just not there: the retries of the node find out.
    if (cause instanceof client.NoRespondersError || cause instanceof client.PermissionViolationError) return false
    return [client.RequestError, client.ConnectionError, client.TimeoutError].some((each) => cause instanceof each)
  }

  /** Nobody takes the subject, or JetStream is not there just now. */
  isUnanswered(error: unknown): boolean {
    for (let each = error; each instanceof Error; each = each.cause)
      if (each instanceof this.client.NoRespondersError) return true
    return false
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.connection.status()) {
      if (type === 'reconnect') this.isConnected = true
      if (type !== 'disconnect') continue
      this.isConnected = false
      for (const act of this.#onLost) act()
    }
  }
}

/** The server has answered, and says no. */
function isRefusal(error: unknown, client: Client): boolean {
  return [
    client.AuthorizationError,
    client.UserAuthenticationExpiredError,
    client.PermissionViolationError,
    client.JetStreamApiError,
    client.JetStreamError,
    client.NoRespondersError,
  ].some((refusal) => error instanceof refusal)
}
