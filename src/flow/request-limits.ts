import { MillraceError } from '../errors.ts'
import { clearTimeout, setTimeout } from '../time.ts'
import type { Request } from './request.ts'

/** What ends a request before its answer. */
interface RequestLimits {
  readonly timeoutMs: number | undefined
  readonly signal: AbortSignal | undefined
}

/**
 * Fails a request at its deadline, or when the signal of its caller aborts.
 * @param stop ends what is left of it
 */
export function limit(
  request: Request,
  { timeoutMs, signal }: RequestLimits,
  stop: (why: 'timedOut' | 'stopped') => void,
): void {
  if (timeoutMs === undefined && signal === undefined) return
  const late = (): void => {
    request.fail('timedOut', new MillraceError('REQUEST_TIMED_OUT', { request: request.id, timeoutMs }))
    stop('timedOut')
  }
  const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs)
  const aborted = (): void => {
    abort(request, signal!)
    stop('stopped')
  }
  signal?.addEventListener('abort', aborted, { once: true })
  request.release = () => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', aborted)
  }
}

/** Its caller does not want it any more. */
export function abort(request: Request, { reason }: AbortSignal): void {
  const error = reason instanceof Error ? reason : new MillraceError('REQUEST_STOPPED', { request: request.id, reason })
  request.fail('stopped', error)
}
