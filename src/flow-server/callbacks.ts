import { createHmac } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { errorText, MillraceError } from '../errors.ts'
import type { FlowRequest } from '../flow/index.ts'
import { printable } from '../shown.ts'
import { sleep, wallMs } from '../time.ts'
import { requestView } from './views.ts'

/** What is posted where a request has ended. */
interface CallbackOptions {
  readonly callbackHosts: readonly string[]
  readonly callbackSecret: string | undefined
  readonly showErrors: boolean
}

/** Tries in all; the pauses between them begin with this one, and each is four times as long as the one before. */
const [TRIES, FIRST_PAUSE_MS] = [6, 1_000]
const TRY_MS = 10_000
const MAX_URL = 2_000

/** Posts a request that has ended to the address that whoever asked has given. */
export class Callbacks {
  readonly #options: CallbackOptions
  readonly #followed = new WeakSet<FlowRequest>()
  readonly #closed = new AbortController()

  constructor(options: CallbackOptions) {
    this.#options = options
  }

  /** What the header `Callback-Url` says. @throws CALLBACK_REFUSED */
  of(headers: IncomingHttpHeaders): { readonly callback?: string } {
    const url = headers['callback-url']
    if (url === undefined) return {}
    if (typeof url !== 'string' || url.length > MAX_URL || !this.#isAllowed(url))
      throw new MillraceError('CALLBACK_REFUSED', { hosts: this.#options.callbackHosts })
    return { callback: url }
  }

  /** A host is allowed with its port, or with the usual one of its protocol. */
  #isAllowed(text: string): boolean {
    if (!URL.canParse(text)) return false
    const { protocol, host, username, password } = new URL(text)
    const isPlain = (protocol === 'http:' || protocol === 'https:') && username === '' && password === ''
    return isPlain && this.#options.callbackHosts.includes(host)
  }

  /** Posts it once it has ended; nothing where it has no address. */
  follow(request: FlowRequest): void {
    const { callback } = request
    if (callback === undefined || this.#followed.has(request) || !request.isOpen) return
    this.#followed.add(request)
    void request.ended.then(() => this.#post(request, callback))
  }

  /** Nothing is posted any more. */
  close(): void {
    this.#closed.abort()
  }

  async #post(request: FlowRequest, url: string): Promise<void> {
    const body = printable(JSON.stringify(requestView(request.view(), this.#options.showErrors)))
    let [pauseMs, reason] = [FIRST_PAUSE_MS, '']
    for (let tries = 1; tries <= TRIES && !this.#closed.signal.aborted; tries++) {
      const status = await this.#try(url, request.id, body).catch((error: unknown) => errorText(error).message)
      if (typeof status === 'number' && status >= 200 && status < 300) return
      reason = String(status)
      // What is wrong with it now is wrong with it later.
      if (typeof status === 'number' && status < 500 && status !== 408 && status !== 429) break
      if (tries === TRIES) break
      await Promise.race([sleep(pauseMs), aborted(this.#closed.signal)])
      pauseMs *= 4
    }
    if (!this.#closed.signal.aborted)
      process.emitWarning(`The callback of request ${request.id} was not taken: ${reason}`, 'MillraceWarning')
  }

  async #try(url: string, id: string, body: string): Promise<number> {
    const response = await fetch(url, {
      method: 'POST',
      // Elsewhere may be anywhere.
      redirect: 'manual',
      headers: { 'content-type': 'application/json', 'x-request-id': id, ...this.#signature(body) },
      body,
      signal: AbortSignal.any([AbortSignal.timeout(TRY_MS), this.#closed.signal]),
    })
    await response.body?.cancel()
    return response.status
  }

  /** Of the time and the body, so that an old one is seen as such. */
  #signature(body: string): Record<string, string> {
    const { callbackSecret } = this.#options
    if (callbackSecret === undefined) return {}
    const time = Math.floor(wallMs() / 1_000)
    const digest = createHmac('sha256', callbackSecret).update(`${time}.${body}`).digest('hex')
    return { 'millrace-signature': `t=${time},v1=${digest}` }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
