import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'
import { after } from 'node:test'

/** What lies between the import and its server, so that the server can go away and come back. */
export class Wire {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #target: URL
  readonly #port: number

  private constructor(server: Server, target: URL) {
    this.#server = server
    this.#target = target
    this.#port = (server.address() as AddressInfo).port
    after(() => this.cut())
  }

  static async to(url: string): Promise<Wire> {
    const target = new URL(url)
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const wire = new Wire(server, target)
    server.on('connection', (near) => wire.#join(near))
    return wire
  }

  get url(): string {
    const url = new URL(this.#target)
    url.host = `127.0.0.1:${this.#port}`
    return url.href
  }

  #join(near: Socket): void {
    const far = connect(Number(this.#target.port), this.#target.hostname)
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket)
      socket.pipe(other)
      socket.on('error', () => other.destroy()).on('close', () => other.destroy())
    }
  }

  /** The server is gone: connections break, and new ones are refused. */
  cut(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
  }

  /** Connections break, and new ones are let through. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
    this.#sockets.clear()
  }

  async mend(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve))
  }
}
