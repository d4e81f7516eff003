/** Ticks at the times of a cron expression as a source: entry point `millrace/cron`. */
import { errorText, MillraceError } from '../../errors.ts'
import { mark, type Marked, type SourceContext, type SourceOptions } from '../../graph/types.ts'
import { CRON_OPTIONS, type Given } from '../../options/index.ts'
import { MAX_TIMER_MS, sleep, wallMs } from '../../time.ts'
import { checked } from '../core/checked.ts'
import { loadClient } from '../core/client.ts'
import { CursorFile } from '../core/file/cursor-file.ts'

/** Options of `cronSource`. */
export interface CronOptions extends Given<typeof CRON_OPTIONS> {
  readonly cron: string
}

/** A time at which a cron expression is due. */
export interface Tick {
  /** When it was due, in ms since 1970. */
  readonly at: number
  /** Whether it was due while no process ran, or while the graph was busy. */
  readonly isLate: boolean
}

/** One that comes later than this is late. */
const LATE_MS = 1_000

/** The times of an expression, as croner has them. */
interface Times {
  nextRun(after: Date): Date | null
  previousRuns(count: number, before: Date): Date[]
}

interface CronState {
  readonly kept: CursorFile
  readonly times: Times
}

/**
 * Node options of a source of ticks. Ticks that are due while the graph is busy come late, none is left out. With `cursorFile`, a
 * process knows which ticks have ended before it.
 * @throws OPTIONS_INVALID
 */
export function cronSource(options: CronOptions): SourceOptions<Tick, CronState> {
  const filled = checked('cronSource', options, CRON_OPTIONS, ['cron'])
  const { cursorFile, missed, timeZone } = filled
  return {
    chunk: 1,
    setup: async ({ node, workers }) => {
      const croner = await loadClient('croner', () => import('croner'))
      try {
        if (workers > 1) throw new Error('one worker makes ticks: concurrency is 1')
        const times = new croner.Cron(options.cron, {
          paused: true,
          ...(timeZone === undefined ? {} : { timezone: timeZone }),
        })
        if (times.nextRun() === null) throw new Error('it is never due')
        return { kept: await CursorFile.open(cursorFile, node), times }
      } catch (cause) {
        if (cause instanceof MillraceError) throw cause
        const reason = errorText(cause).message
        throw new MillraceError('CONNECTOR_REFUSED', { node, cron: options.cron, timeZone, reason }, { cause })
      }
    },
    produce: (context) => ticks(context, missed),
    ...(cursorFile === undefined
      ? {}
      : { ack: (_: unknown, __: unknown, { state, watermark }) => state.kept.save(watermark) }),
  }
}

async function* ticks(
  { cursor, state, signal }: SourceContext<CronState>,
  missed: string,
): AsyncGenerator<Marked<Tick>> {
  // A worker that is replaced goes on after its last tick; a process after the last one of another process that has ended.
  const startedAt = wallMs()
  const [latest] = state.times.previousRuns(1, new Date(startedAt))
  let last = (cursor ?? state.kept.cursor ?? startedAt) as number
  if (cursor === undefined && missed === 'skip') last = startedAt
  // A moment before the last one that was due, so that it is the next one.
  if (cursor === undefined && missed === 'last' && latest !== undefined) last = Math.max(last, latest.getTime() - 1)
  const next = (): number | undefined => state.times.nextRun(new Date(last))?.getTime()
  for (let at = next(); at !== undefined; at = next()) {
    last = at
    for (let left = at - wallMs(); left > 0 && !signal.aborted; left = at - wallMs())
      await sleep(Math.min(left, MAX_TIMER_MS), signal)
    if (signal.aborted) return
    yield mark({ at, isLate: wallMs() - at > LATE_MS }, { cursor: at })
  }
}
