import type { FastifyBaseLogger } from 'fastify'
import { EVENT_LEVELS } from '../process/log-events.ts'
import { shown } from '../shown.ts'
import type { EventName } from '../supervisor/events.ts'
import type { LoggedEvent } from './event-log.ts'

/** A line of a log; what it holds cannot steer a terminal. */
const LIMITS = { depth: 8, bytes: 65_536, isPrintable: true }

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Commands and events, written to the server's logger; the level can be changed while it runs. */
export class Log {
  level: LogLevel = 'info'
  readonly #logger: FastifyBaseLogger

  constructor(logger: FastifyBaseLogger) {
    // Its own level decides, whatever the server writes of its requests.
    this.#logger = logger.child({ name: 'millrace' }, { level: 'debug' })
  }

  event(event: LoggedEvent): void {
    this.write(EVENT_LEVELS[event.name as EventName] ?? 'info', event.name, {
      pipeline: event.pipeline,
      ...event.fields,
    })
  }

  write(level: LogLevel, text: string, fields: object): void {
    if (LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(this.level)) this.#logger[level](shown(fields, LIMITS), text)
  }
}
