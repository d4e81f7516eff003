import { MillraceError } from '../errors.ts'
import { MAX_TIMER_MS } from '../time.ts'

/** How one request is run. */
export interface RequestOptions {
  /** Default: a random one. With the id of a request that is still known, that request is the result, and nothing runs. */
  readonly id?: string
  /** The request fails with `REQUEST_TIMED_OUT` after this time, and what is left of it is stopped. Default: no limit. */
  readonly timeoutMs?: number
  /** Stops the request when it aborts: its answer rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Where whoever serves the flow says that the request has ended. */
  readonly callback?: string
  /** With `id`: a later request with this id must have the same text here (KEY_REUSED): a hash of the input, say. */
  readonly hash?: string
}

/** @throws OPTIONS_INVALID with all problems */
export function checkRequest(id: unknown, timeoutMs: unknown, signal: unknown): void {
  const problems: { code: string; message: string; fix: string }[] = []
  const wrong = (option: string, must: string): void => {
    problems.push({ code: 'OPTION_TYPE_WRONG', message: `\`${option}\` must be ${must}.`, fix: 'Correct it.' })
  }
  if (typeof id !== 'string' || id === '' || id.length > 200) wrong('id', 'a text of 1 to 200 characters')
  const isTime =
    timeoutMs === undefined || (typeof timeoutMs === 'number' && timeoutMs > 0 && timeoutMs <= MAX_TIMER_MS)
  if (!isTime) wrong('timeoutMs', 'a number of ms above 0, at most 2,147,483,647')
  if (signal !== undefined && !(signal instanceof AbortSignal)) wrong('signal', 'an AbortSignal')
  if (problems.length > 0) throw new MillraceError('OPTIONS_INVALID', { problems })
}
