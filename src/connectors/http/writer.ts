import type { Context, SetupContext } from '../../graph/types.ts'
import { monotonicMs, sleep, wallMs } from '../../time.ts'
import { Backoff, Reach } from '../core/backoff.ts'
import type { BatchWriter } from '../core/sink.ts'

/** What a writer is made of: options of `httpSink` with their defaults. */
interface HttpWriterOptions {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly answerMs: number
  readonly contentType: string
  readonly encode: (records: readonly unknown[]) => string | Uint8Array
}

/** Answers of a server that will give another one in a while. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])
/** Longer is not waited, whatever the server asks for. */
const MOST_RETRY_MS = 60_000

/** One worker's side of a server: a batch is one request. */
export class HttpWriter implements BatchWriter {
  readonly #options: HttpWriterOptions
  readonly #closed = new AbortController()
  readonly #node: string
  readonly #reach: Reach

  constructor(options: HttpWriterOptions, context: SetupContext) {
    this.#options = options
    this.#node = context.node
    this.#reach = new Reach(context)
  }

  /** @throws an Error with the status, where the server says no */
  async write(records: readonly unknown[], { signal, id }: Pick<Context, 'signal' | 'id' | 'fail'>): Promise<void> {
    const { url, method, headers, contentType, encode } = this.#options
    const request = {
      method,
      headers: { 'content-type': contentType, 'idempotency-key': id, ...headers },
      body: encode(records) as string,
    }
    const backoff = new Backoff(this.#reach)
    try {
      for (;;) {
        const { status, retryAt } = await this.#send(url, request, signal)
        if (status !== undefined && status >= 200 && status < 300) return
        if (status !== undefined && !PASSING.has(status))
          throw new Error(`${this.#node}: ${method} ${withoutQuery(url)} was answered with ${status}`)
        signal.throwIfAborted()
        const reason = status === undefined ? 'no answer' : `the answer is ${status}`
        await backoff.pause(signal, reason)
        const ms = retryAt - monotonicMs()
        if (ms > 0) await sleep(Math.min(ms, MOST_RETRY_MS), signal)
      }
    } finally {
      backoff.reset()
    }
  }

  close(): Promise<void> {
    this.#closed.abort()
    return Promise.resolve()
  }

  /** The status, undefined where there was no answer; and from when on the server wants to be asked again. */
  async #send(
    url: string,
    request: RequestInit,
    signal: AbortSignal,
  ): Promise<{ readonly status: number | undefined; readonly retryAt: number }> {
    const late = AbortSignal.timeout(this.#options.answerMs)
    try {
      const answer = await fetch(url, { ...request, signal: AbortSignal.any([signal, this.#closed.signal, late]) })
      await answer.body?.cancel()
      return { status: answer.status, retryAt: retryAtOf(answer.headers.get('retry-after')) }
    } catch {
      return { status: undefined, retryAt: 0 }
    }
  }
}

function retryAtOf(header: string | null): number {
  if (header === null) return 0
  const seconds = Number(header)
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(header) - wallMs()
  return Number.isFinite(ms) ? monotonicMs() + ms : 0
}

function withoutQuery(url: string): string {
  return url.replace(/[?#].*/s, '')
}
