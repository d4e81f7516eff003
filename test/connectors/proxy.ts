import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'

/** A way to a server on this machine that can be cut at any time. */
export class Proxy {
  readonly port: number
  readonly #target: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isClosed = false
  #isSilent = false

  private constructor(server: Server, target: number) {
    this.#server = server
    this.#target = target
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (socket) => this.#join(socket))
  }

  static async to(target: number): Promise<Proxy> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Proxy(server, target)
  }

  get connections(): number {
    return this.#sockets.size / 2
  }

  /** Resets every connection. New ones are taken. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  /** As if the server were away: connections are reset, and new ones too. */
  close(): void {
    this.#isClosed = true
    this.reset()
  }

  open(): void {
    this.#isClosed = false
  }

  /** What the server says does not arrive, until `speak`. */
  silence(): void {
    this.#isSilent = true
    for (const socket of this.#sockets) if (isUpstream(socket, this.#target)) socket.pause()
  }

  speak(): void {
    this.#isSilent = false
    for (const socket of this.#sockets) if (isUpstream(socket, this.#target)) socket.resume()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(socket: Socket): void {
    if (this.#isClosed) return void socket.resetAndDestroy()
    const upstream = connect(this.#target, '127.0.0.1')
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      this.#sockets.add(one)
      one.on('data', (bytes) => void other.write(bytes))
      one.on('error', () => undefined)
      one.on('close', () => {
        this.#sockets.delete(one)
        other.destroy()
      })
    }
    if (this.#isSilent) upstream.pause()
  }
}

function isUpstream(socket: Socket, target: number): boolean {
  return socket.remotePort === target
}
