import { errorText, MillraceError } from '../errors.ts'

/** When a flow is to be asked: by a cron expression, at each multiple of a time since 1970, or once. */
export type When =
  | { readonly cron: string; readonly timeZone?: string }
  | { readonly everyMs: number }
  | { readonly at: Date }

/** The times of a schedule, in ms since 1970. */
export interface ScheduleTimes {
  /** The first one after a time; undefined where there is none. */
  next(after: number): number | undefined
  /** The last ones up to a time and after another one, at most so many, oldest first. */
  between(after: number, until: number, most: number): readonly number[]
}

/** @throws OPTIONS_INVALID, CONNECTOR_NOT_INSTALLED */
export async function scheduleTimes(when: When): Promise<ScheduleTimes> {
  if ('cron' in when) return cronTimes(when)
  return 'everyMs' in when ? multiples(when.everyMs) : once(when.at)
}

async function cronTimes({
  cron,
  timeZone,
}: {
  readonly cron: string
  readonly timeZone?: string
}): Promise<ScheduleTimes> {
  const { Cron } = await import('croner').catch((cause: unknown) => {
    const reason = errorText(cause).message
    throw new MillraceError('CONNECTOR_NOT_INSTALLED', { install: 'npm install croner', reason }, { cause })
  })
  try {
    const times = new Cron(cron, { paused: true, ...(timeZone === undefined ? {} : { timezone: timeZone }) })
    // Both an expression that cannot be and a time zone that is unknown are seen here.
    times.nextRun()
    return {
      next: (after) => times.nextRun(new Date(after))?.getTime(),
      between: (after, until, most) =>
        // One that is due at this very time counts.
        times
          .previousRuns(most, new Date(until + 1_000))
          .map((time) => time.getTime())
          .filter((at) => at > after && at <= until)
          .toSorted((a, b) => a - b),
    }
  } catch (cause) {
    throw wrong(errorText(cause).message)
  }
}

function multiples(everyMs: number): ScheduleTimes {
  if (!Number.isInteger(everyMs) || everyMs < 1) throw wrong('`everyMs` must be an integer from 1 on.')
  const next = (after: number): number => (Math.floor(after / everyMs) + 1) * everyMs
  return {
    next,
    between: (after, until, most) => {
      const last = Math.floor(until / everyMs)
      const first = Math.max(Math.floor(after / everyMs) + 1, last - most + 1)
      return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * everyMs)
    },
  }
}

function once(date: Date): ScheduleTimes {
  const at = date instanceof Date ? date.getTime() : NaN
  if (Number.isNaN(at)) throw wrong('`at` must be a Date.')
  return {
    next: (after) => (at > after ? at : undefined),
    between: (after, until) => (at > after && at <= until ? [at] : []),
  }
}

export function wrong(message: string): MillraceError {
  return new MillraceError('OPTIONS_INVALID', {
    problems: [{ code: 'OPTION_TYPE_WRONG', message, fix: 'Correct it.' }],
  })
}
