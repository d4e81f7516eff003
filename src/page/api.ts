import type { ErrorAnswer, Live, LoggedEvent } from '#src/control/index.js'

const TOKEN_KEY = 'millrace-token'

/** The API that serves this page: beside it, under whatever prefix. */
const BASE = new URL('.', document.baseURI).pathname

export class ApiError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

export function keepToken(token: string): void {
  sessionStorage.setItem(TOKEN_KEY, token)
}

async function request(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  return checked(path, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  })
}

async function checked(
  path: string,
  { headers, ...init }: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> },
): Promise<Response> {
  const token = sessionStorage.getItem(TOKEN_KEY)
  const response = await fetch(BASE + path, {
    ...init,
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
  })
  if (response.ok) return response
  const { error } = (await response.json().catch(() => ({}))) as Partial<ErrorAnswer>
  throw new ApiError(response.status, error?.code ?? '', [error?.message, error?.fix].filter(Boolean).join(' '))
}

export async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  return (await (await request(method, path, body)).json()) as T
}

/** Posts a text as it is; an empty one is no body. */
export async function send<T>(path: string, headers: Record<string, string>, body: string): Promise<T> {
  const given = body === '' ? {} : { body }
  return (await (await checked(path, { method: 'POST', headers, ...given })).json()) as T
}

export interface Watching {
  snapshot(live: Live): void
  event(event: LoggedEvent): void
  /** The connection is lost, and will be tried again. */
  lost(error: unknown): void
}

/** Rates are those of the last second, so a second picture in it would show little that is new, and cost as much as the first. */
const RATE_HZ = 1

/** Follows a pipeline until the signal aborts; comes back after the last event that it saw. */
export async function watch(pipeline: string, listener: Watching, signal: AbortSignal): Promise<void> {
  let last = '0'
  while (!signal.aborted) {
    try {
      const path = `pipelines/${encodeURIComponent(pipeline)}/watch?rateHz=${RATE_HZ}&after=${last}`
      const response = await request('GET', path, undefined, signal)
      for await (const { name, id, data } of messages(response)) {
        if (id !== undefined) last = id
        if (name === 'snapshot') listener.snapshot(data as Live)
        if (name === 'event') listener.event(data as LoggedEvent)
      }
      throw new Error('The connection ended.')
    } catch (error) {
      if (signal.aborted) return
      listener.lost(error)
      if (error instanceof ApiError && error.status === 401) return
      await new Promise((resolve) => setTimeout(resolve, 1_000))
    }
  }
}

async function* messages(response: Response): AsyncGenerator<{ name: string; id: string | undefined; data: unknown }> {
  if (response.body === null) return
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const parts = (rest + value).split('\n\n')
    rest = parts.pop() ?? ''
    for (const part of parts) {
      const of = (key: string): string | undefined => new RegExp(`^${key}: (.*)$`, 'm').exec(part)?.[1]
      const [name, data] = [of('event'), of('data')]
      if (name !== undefined && data !== undefined) yield { name, id: of('id'), data: JSON.parse(data) as unknown }
    }
  }
}
