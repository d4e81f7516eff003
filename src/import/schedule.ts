import { ImportProblem, messageOf } from './problem.ts'

/** When an import is due. */
export interface Schedule {
  /** Milliseconds since 1970 of the first time after another one; undefined where there is none. */
  nextMs(afterMs: number): number | undefined
}

/**
 * A cron expression of five fields, or six with seconds in front.
 * @param timeZone an IANA name. Default: that of the process
 * @throws ImportProblem where it cannot be read, or is never due
 */
export async function openSchedule(cron: string, timeZone?: string): Promise<Schedule> {
  const { Cron } = await import('croner').catch((error: unknown) => {
    throw new ImportProblem('Imports by a schedule need the package croner: npm install croner', { cause: error })
  })
  try {
    const times = new Cron(cron, { paused: true, ...(timeZone === undefined ? {} : { timezone: timeZone }) })
    if (times.nextRun() === null) throw new Error('it is never due')
    return { nextMs: (afterMs) => times.nextRun(new Date(afterMs))?.getTime() }
  } catch (error) {
    const where = timeZone === undefined ? '' : ` in ${timeZone}`
    throw new ImportProblem(`${JSON.stringify(cron)}${where} is no schedule: ${messageOf(error)}`, { cause: error })
  }
}
