/** `millrace/flow/client`: asks flows of a server (`serveFlows`); for Node and for browsers. */
import { ERROR_CODES, type ErrorCode, MillraceError } from '../errors.ts'
import type { RequestState } from './request-view.ts'
import type { AnswerOf, InputOf } from './types.ts'

/** How a server is asked. */
export interface ConnectOptions {
  readonly token?: string
  /** Default: the global one. */
  readonly fetch?: typeof fetch
}

/** How one request is asked. */
export interface AskOptions {
  /** Sent as `Idempotency-Key`: a second request with the same id and input gets the first one's answer. */
  readonly id?: string
  /** Deadline of the request. Default: none. */
  readonly timeoutMs?: number
  /** Ends the waiting. It does not stop the request. */
  readonly signal?: AbortSignal
}

/** A request, as the server shows it. Bytes in `answer` are `{ base64 }`. */
export interface RemoteRequest<Answer> {
  readonly id: string
  readonly flow: string
  readonly state: RequestState
  readonly isOpen: boolean
  readonly createdAt: string
  readonly startedAt?: string
  readonly endedAt?: string
  /** The request that it repeats from where that failed. */
  readonly replayOf?: string
  /** The instance that runs it, where several processes share the store. */
  readonly instance?: string
  readonly answer?: Answer
  readonly error?: { readonly code: string; readonly step?: string; readonly reason?: string }
  /** What its steps did, where the flow has `keepSteps`; not in lists. */
  readonly steps?: readonly RemoteStep[]
}

/** What a step did, as the server shows it. */
export interface RemoteStep {
  readonly step: string
  readonly path: readonly number[]
  readonly state: 'done' | 'failed' | 'undone' | 'undoFailed'
  readonly attempts: number
  readonly startedAt: string
  readonly endedAt: string
  readonly error?: { readonly name: string; readonly code?: string; readonly message?: string }
}

/** Which requests to list. */
export interface ListOptions {
  readonly state?: RequestState
  readonly from?: Date
  readonly to?: Date
  readonly page?: number
  readonly pageSize?: number
}

/** One page of requests. */
export interface RequestPage<Answer> {
  readonly requests: readonly RemoteRequest<Answer>[]
  readonly total: number
  readonly page: number
  readonly pages: number
}

/** The longest that the server waits for the end of a request in one call. */
const WAIT_MS = 60_000

/** The flows of a server. `Flows` names their types: `connectFlows<{ kyc: typeof kyc }>(url)`. */
export class FlowsClient<Flows extends Readonly<Record<string, unknown>> = Record<string, unknown>> {
  readonly #url: string
  readonly #options: ConnectOptions

  /** @internal */
  constructor(url: string, options: ConnectOptions) {
    this.#url = url.replace(/\/+$/, '')
    this.#options = options
  }

  flow<const Name extends keyof Flows & string>(name: Name): FlowClient<InputOf<Flows[Name]>, AnswerOf<Flows[Name]>> {
    return new FlowClient(`${this.#url}/flows/${encodeURIComponent(name)}`, this.#options)
  }
}

/** One flow of a server. Every call throws what the server answers, with its code, and what `fetch` throws. */
export class FlowClient<Input, Answer> {
  readonly #url: string
  readonly #token: string | undefined
  readonly #fetch: typeof fetch

  /** @internal */
  constructor(url: string, options: ConnectOptions) {
    this.#url = url
    this.#token = options.token
    this.#fetch = options.fetch ?? ((...call) => fetch(...call))
  }

  /** Runs a request, and waits for its answer. @throws REQUEST_FAILED, REQUEST_STOPPED, REQUEST_TIMED_OUT, KEY_REUSED, FLOW_UNKNOWN */
  async execute(input: Input, options: AskOptions = {}): Promise<Answer> {
    return (await valueOf(await this.#ask(input, options, {}))) as Answer
  }

  /** Starts a request, and does not wait for it. @throws as `execute` */
  async start(input: Input, options: AskOptions = {}): Promise<RemoteRequest<Answer>> {
    return jsonOf(await this.#ask(input, options, { prefer: 'respond-async' }))
  }

  /** @throws REQUEST_UNKNOWN */
  async get(id: string): Promise<RemoteRequest<Answer>> {
    return jsonOf(await this.#call('GET', this.#request(id)))
  }

  /** The request once it has ended. @throws REQUEST_UNKNOWN; the signal's reason */
  async ended(id: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<RemoteRequest<Answer>> {
    for (;;) {
      const given = signal === undefined ? {} : { signal }
      const request: RemoteRequest<Answer> = await jsonOf(
        await this.#call('GET', `${this.#request(id)}?wait=${WAIT_MS}`, given),
      )
      if (!request.isOpen) return request
    }
  }

  async list({ state, from, to, page, pageSize }: ListOptions = {}): Promise<RequestPage<Answer>> {
    const query = new URLSearchParams()
    const given = { state, from: from?.toISOString(), to: to?.toISOString(), page, pageSize }
    for (const [name, value] of Object.entries(given)) if (value !== undefined) query.set(name, String(value))
    return jsonOf(await this.#call('GET', `/requests?${query.toString()}`))
  }

  /** Stops a request; resolves when nothing of it is left. @throws REQUEST_UNKNOWN, REQUEST_ENDED */
  async stop(id: string): Promise<RemoteRequest<Answer>> {
    return jsonOf(await this.#call('DELETE', this.#request(id)))
  }

  /** Pauses a request: no step of it is called from now on. @throws REQUEST_UNKNOWN, REQUEST_ENDED, STEPS_NOT_KEPT */
  async pause(id: string): Promise<RemoteRequest<Answer>> {
    return jsonOf(await this.#call('POST', `${this.#request(id)}/pause`))
  }

  /** Lets a paused request go on where it was. @throws as `pause` */
  async resume(id: string): Promise<RemoteRequest<Answer>> {
    return jsonOf(await this.#call('POST', `${this.#request(id)}/resume`))
  }

  /**
   * Asks once more what a request that has ended has asked, from where it failed. @param options.id of the new request
   * @throws REQUEST_UNKNOWN, REQUEST_OPEN, STEPS_NOT_KEPT
   */
  async replay(id: string, options: Pick<AskOptions, 'id'> = {}): Promise<RemoteRequest<Answer>> {
    const headers: Record<string, string> = options.id === undefined ? {} : { 'idempotency-key': options.id }
    return jsonOf(await this.#call('POST', `${this.#request(id)}/replay`, { headers }))
  }

  #request(id: string): string {
    return `/requests/${encodeURIComponent(id)}`
  }

  #ask(input: Input, { id, timeoutMs, signal }: AskOptions, headers: Record<string, string>): Promise<Response> {
    const query = timeoutMs === undefined ? '' : `?timeoutMs=${timeoutMs}`
    const { type, body } = bodyOfInput(input)
    return this.#call('POST', query, {
      headers: { ...headers, ...type, ...(id === undefined ? {} : { 'idempotency-key': id }) },
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    })
  }

  async #call(method: string, path: string, given: RequestInit = {}): Promise<Response> {
    const token = this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }
    const headers = { ...token, ...(given.headers as Record<string, string> | undefined) }
    const response = await this.#fetch(this.#url + path, { ...given, method, headers })
    if (response.ok) return response
    throw await refusalOf(response)
  }
}

/**
 * The flows of a server, to be asked from Node or from a browser: `connectFlows<{ kyc: typeof kyc }>(url).flow('kyc').execute(input)`.
 * Nothing is asked before the first call.
 */
export function connectFlows<Flows extends Readonly<Record<string, unknown>>>(
  url: string | URL,
  options: ConnectOptions = {},
): FlowsClient<Flows> {
  return new FlowsClient(String(url), options)
}

/** As the server takes an input: bytes, a text, or JSON. */
function bodyOfInput(input: unknown): {
  readonly type: Record<string, string>
  readonly body?: NonNullable<RequestInit['body']>
} {
  if (input === undefined) return { type: {} }
  if (input instanceof Uint8Array) return { type: { 'content-type': 'application/octet-stream' }, body: input as never }
  if (typeof input === 'string') return { type: { 'content-type': 'text/plain; charset=utf-8' }, body: input }
  return { type: { 'content-type': 'application/json' }, body: JSON.stringify(input) }
}

/** As the server sends an answer. */
async function valueOf(response: Response): Promise<unknown> {
  if (response.status === 204) return undefined
  const type = response.headers.get('content-type') ?? ''
  if (type.startsWith('application/json')) return response.json()
  return type.startsWith('text/') ? response.text() : new Uint8Array(await response.arrayBuffer())
}

async function jsonOf<T>(response: Response): Promise<T> {
  return (await response.json()) as T
}

/** The error that the server answered. What is no answer of this API says its status. */
async function refusalOf(response: Response): Promise<Error> {
  const { status } = response
  const answered = (await response.json().catch(() => undefined)) as
    | { error?: { code?: unknown; message?: unknown } }
    | undefined
  const { code, message } = answered?.error ?? {}
  if (typeof code !== 'string' || !Object.hasOwn(ERROR_CODES, code))
    return new Error(`the server answered with status ${status}`)
  return new MillraceError(code as ErrorCode, { status, reason: message })
}
