import type { IncomingHttpHeaders } from 'node:http'
import { MAX_TIMER_MS } from '../time.ts'

/** How long whoever asks wants to wait for the answer (RFC 7240), and how that is said in the reply. */
interface Preference {
  /** Infinity: until there is one. */
  readonly waitMs: number
  readonly applied: string | undefined
}

const ANSWER: Preference = { waitMs: Infinity, applied: undefined }

/** `Prefer: respond-async`, `Prefer: wait=5`, both, or GoFlow's `X-Async: true`. What cannot be read counts as not said. */
export function preferenceOf({ prefer, 'x-async': async }: IncomingHttpHeaders): Preference {
  if (prefer === undefined && async === undefined) return ANSWER
  const wishes = [prefer ?? []]
    .flat()
    .join(',')
    .toLowerCase()
    .split(',')
    .map((wish) => wish.split(';')[0]!.trim())
  const wait = wishes
    .map((wish) => /^wait\s*=\s*"?(\d{1,9})"?$/.exec(wish)?.[1])
    .find((seconds) => seconds !== undefined)
  const isAsync = wishes.includes('respond-async')
  if (wait !== undefined) {
    const waitMs = Math.min(Number(wait) * 1_000, MAX_TIMER_MS)
    return { waitMs, applied: `${isAsync ? 'respond-async, ' : ''}wait=${wait}` }
  }
  if (isAsync) return { waitMs: 0, applied: 'respond-async' }
  return { waitMs: String(async).toLowerCase() === 'true' ? 0 : Infinity, applied: undefined }
}
