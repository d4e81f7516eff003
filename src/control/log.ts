import type { FastifyBaseLogger } from 'fastify'
import { shown } from '../shown.ts'
import type { LoggedEvent } from './event-log.ts'

/** A line of a log; what it holds cannot steer a terminal. */
const LIMITS = { depth: 8, bytes: 65_536, isPrintable: true }

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** The level of each event; those that are not named are `info`. */
const LEVELS: Readonly<Record<string, LogLevel>> = {
  'record.retried': 'debug',
  'record.deadLettered': 'warn',
  'record.failed': 'warn',
  'record.dropped': 'warn',
  'ack.failed': 'warn',
  'worker.died': 'warn',
  'worker.hung': 'warn',
  'stage.gaveUp': 'error',
  'pipeline.stalled': 'warn',
  'pipeline.failed': 'error',
}

/** Commands and events, written to the server's logger; the level can be changed while it runs. */
export class Log {
  level: LogLevel = 'info'
  readonly #logger: FastifyBaseLogger

  constructor(logger: FastifyBaseLogger) {
    // Its own level decides, whatever the server writes of its requests.
    this.#logger = logger.child({ name: 'millrace' }, { level: 'debug' })
  }

  event(event: LoggedEvent): void {
    this.write(LEVELS[event.name] ?? 'info', event.name, { pipeline: event.pipeline, ...event.fields })
  }

  write(level: LogLevel, text: string, fields: object): void {
    if (LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(this.level)) this.#logger[level](shown(fields, LIMITS), text)
  }
}
