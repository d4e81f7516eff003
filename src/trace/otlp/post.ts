import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { errorText } from '../../errors.ts'
import { sleep, wallMs } from '../../time.ts'

export interface PostOptions {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly isCompressed: boolean
  /** For one attempt, the answer included. */
  readonly timeoutMs: number
  /** Attempts at most, and the pause before the second one; each further pause is twice as long. */
  readonly attempts: number
  readonly pauseMs: number
  readonly maxPauseMs: number
  /** Ends pauses and attempts at once. */
  readonly signal: AbortSignal
}

/** Answers after which the same request may succeed, as the protocol has them. */
const RETRIED = new Set([429, 502, 503, 504])
const pack = promisify(gzip)

/** Posts JSON until it is taken. @returns what was answered @throws where it was refused, or not taken in all attempts */
export async function post(body: unknown, options: PostOptions): Promise<unknown> {
  const text = JSON.stringify(body)
  const bytes = options.isCompressed ? await pack(text) : text
  for (let attempt = 1, pauseMs = options.pauseMs; ; attempt++, pauseMs *= 2) {
    const outcome = await once(bytes, options)
    if ('answer' in outcome) return outcome.answer
    if (!outcome.isPassing || attempt >= options.attempts || options.signal.aborted) throw new Error(outcome.reason)
    await sleep(Math.min(options.maxPauseMs, outcome.afterMs ?? pauseMs), options.signal)
  }
}

type Outcome =
  | { readonly answer: unknown }
  | { readonly reason: string; readonly isPassing: boolean; readonly afterMs?: number | undefined }

async function once(
  bytes: string | Buffer,
  { url, headers, isCompressed, timeoutMs, signal }: PostOptions,
): Promise<Outcome> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(isCompressed ? { 'content-encoding': 'gzip' } : {}),
        ...headers,
      },
      body: bytes as string | Uint8Array<ArrayBuffer>,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      // Another address may be anybody's: what is sent goes where it was meant to go.
      redirect: 'error',
    })
    const text = await response.text()
    if (response.ok) return { answer: jsonOf(text) }
    const reason = `${response.status} ${response.statusText}`.trimEnd()
    return {
      reason,
      isPassing: RETRIED.has(response.status),
      afterMs: retryAfterMs(response.headers.get('retry-after')),
    }
  } catch (error) {
    const cause = (error as { cause?: unknown }).cause
    return { reason: errorText(cause ?? error).message, isPassing: true }
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** `Retry-After`: seconds, or a date. */
export function retryAfterMs(value: string | null): number | undefined {
  if (value === null) return undefined
  const seconds = Number(value)
  const ms = Number.isNaN(seconds) ? Date.parse(value) - wallMs() : seconds * 1_000
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}
