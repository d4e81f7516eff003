import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { errorText, MillraceError } from '../../errors.ts'
import type { SetupContext } from '../../graph/types.ts'
import { clearTimeout, setTimeout } from '../../time.ts'
import type { MessageEnds } from '../core/ends.ts'
import type { Feed } from '../core/feed.ts'
import type { MessageIntake, QueueOptions } from '../core/queue.ts'
import type { RequestReceipt, WebhookRequest } from './request.ts'

/** Options of `webhookSource` with their defaults. */
interface HttpIntakeOptions extends QueueOptions<WebhookRequest> {
  readonly port: number
  readonly host: string
  readonly path: string
  readonly maxBodyBytes: number
  readonly answerMs: number
  /** Requests that `decode` has not taken. */
  readonly unreadable: WeakSet<WebhookRequest>
}

/** A request that waits for its answer. */
interface Open {
  readonly reply: ServerResponse
  readonly timer: NodeJS.Timeout
  /** What came is no record. */
  readonly isUnreadable: boolean
}

const RETRY_SECONDS = '1'
/** After the last answer, connections that stay open are not waited for. */
const END_MS = 1_000

/** A server in the worker: each request is a record, and is answered when that has ended. */
export class HttpIntake implements MessageIntake<RequestReceipt> {
  readonly #options: HttpIntakeOptions
  readonly #feed: Feed<WebhookRequest>
  readonly #server: Server
  readonly #open = new Map<number, Open>()
  #requests = 0
  #end: (() => void) | undefined

  private constructor(options: HttpIntakeOptions, feed: Feed<WebhookRequest>, epoch: number) {
    this.#options = options
    this.#feed = feed
    // Requests of earlier lives of the worker are in the graph by their numbers.
    this.#requests = epoch * 2 ** 32
    this.#server = createServer((request, reply) => void this.#take(request, reply))
  }

  /** @throws CONNECTOR_REFUSED */
  static async open(
    options: HttpIntakeOptions,
    feed: Feed<WebhookRequest>,
    { node, workers, epoch }: SetupContext,
  ): Promise<HttpIntake> {
    const { host, port } = options
    const refuse = (reason: string, cause?: unknown): never => {
      throw new MillraceError('CONNECTOR_REFUSED', { node, host, port, reason }, { cause })
    }
    if (workers > 1) refuse('one worker listens on a port: set `concurrency` to 1')
    const intake = new HttpIntake(options, feed, epoch)
    try {
      intake.#server.listen(port, host)
      await once(intake.#server, 'listening')
      return intake
    } catch (cause) {
      return refuse(errorText(cause).message, cause)
    }
  }

  take(): Promise<void> {
    return new Promise((resolve) => (this.#end = resolve))
  }

  halt(): void {
    this.#server.close()
    this.#end?.()
  }

  settle({ done, over, again }: MessageEnds<RequestReceipt>): Promise<void> {
    for (const { id } of done) this.#answer(id, (isUnreadable) => (isUnreadable ? 400 : 204))
    for (const { id } of over) this.#answer(id, (isUnreadable) => (isUnreadable ? 400 : 500))
    for (const { receipt } of again) this.#answer(receipt.id, () => 503)
    return Promise.resolve()
  }

  isPassing(): boolean {
    return false
  }

  async close(): Promise<void> {
    this.#server.close()
    this.#server.closeIdleConnections()
    const timer = setTimeout(() => this.#server.closeAllConnections(), END_MS)
    if (this.#server.listening) await once(this.#server, 'close')
    clearTimeout(timer)
    this.#server.closeAllConnections()
  }

  async #take(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const { path, window, answerMs } = this.#options
    const { method = '', url = '' } = request
    if (url.replace(/\?.*/s, '') !== path) return end(reply, 404)
    if (method === 'GET' || method === 'HEAD') return end(reply, 405)
    if (this.#feed.isStopped || this.#feed.held.size >= window) return end(reply, 503)
    const body = await this.#read(request, reply)
    if (body === undefined) return
    // Others have come in the meantime.
    if (this.#feed.isStopped || this.#feed.held.size >= window) return end(reply, 503)
    const id = ++this.#requests
    const message: WebhookRequest = { method, url, headers: headersOf(request), body, deliveries: 1 }
    const timer = setTimeout(() => this.#answer(id, () => 504), answerMs)
    this.#feed.admit(message, { id, deliveries: 1 })
    this.#open.set(id, { reply, timer, isUnreadable: this.#options.unreadable.has(message) })
  }

  async #read(request: IncomingMessage, reply: ServerResponse): Promise<Uint8Array | undefined> {
    const chunks: Buffer[] = []
    let bytes = 0
    try {
      for await (const chunk of request) {
        bytes += (chunk as Buffer).length
        if (bytes > this.#options.maxBodyBytes) {
          end(reply, 413)
          request.destroy()
          return undefined
        }
        chunks.push(chunk as Buffer)
      }
      return Buffer.concat(chunks)
    } catch {
      // The sender is gone.
      return undefined
    }
  }

  #answer(id: number, statusOf: (isUnreadable: boolean) => number): void {
    const open = this.#open.get(id)
    if (open === undefined) return
    this.#open.delete(id)
    clearTimeout(open.timer)
    end(open.reply, statusOf(open.isUnreadable))
  }
}

function end(reply: ServerResponse, status: number): void {
  reply.writeHead(status, status === 503 ? { 'retry-after': RETRY_SECONDS } : {}).end()
}

function headersOf({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.at(-1)! : value]],
    ),
  )
}
