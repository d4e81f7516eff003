import type { CONTROL_OPTIONS, Resolved } from '../options/index.ts'
import { MillraceError } from '../errors.ts'
import type { CommandLimits } from './command-limit.ts'
import type { Log } from './log.ts'
import type { Running, Watched } from './watched.ts'
import type { Watchlist } from './watchlist.ts'

/** What every address of the API works with. */
export interface Room {
  readonly options: Resolved<typeof CONTROL_OPTIONS>
  readonly pipelines: Watchlist
  readonly log: Log
  readonly commands: CommandLimits
}

/** @throws PIPELINE_UNKNOWN */
export function watchedOf({ pipelines }: Room, name: string): Watched {
  const found = pipelines.get(name)
  if (found === undefined) throw new MillraceError('PIPELINE_UNKNOWN', { pipeline: name })
  return found
}

/** @throws PIPELINE_UNKNOWN, PIPELINE_STARTING, or why it was not started */
export function runningOf(room: Room, name: string): Running {
  return watchedOf(room, name).running
}
