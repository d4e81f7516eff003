import { availableCores } from '../cores.ts'
import { availableMemory } from '../memory-limit.ts'
import { dataOf, shown } from '../shown.ts'
import type { EventName, PipelineEvent } from '../supervisor/events.ts'
import type { Pipeline } from '../supervisor/pipeline.ts'

/** What of a logger is used: pino has it, and so have Fastify's, bunyan's and most others. */
export interface Logger {
  debug(fields: object, text: string): void
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

type LogLevel = keyof Logger

/** The level of each event; those that are not named are `info`. */
export const EVENT_LEVELS: Readonly<Partial<Record<EventName, LogLevel>>> = {
  'record.retried': 'debug',
  'record.deadLettered': 'warn',
  'record.failed': 'warn',
  'record.dropped': 'warn',
  'ack.failed': 'warn',
  'worker.died': 'warn',
  'worker.hung': 'warn',
  'worker.degraded': 'warn',
  'stage.gaveUp': 'error',
  'pipeline.stalled': 'warn',
  'pipeline.failed': 'error',
}

/** A line of a log; what it holds cannot steer a terminal. */
const LIMITS = { depth: 8, bytes: 65_536, isPrintable: true }

/**
 * Logs the events of a pipeline, one line each, the name of the event as its text and the error as `err`, as pino has them. The
 * first line says what the process may use, and what the pipeline takes of it. Texts of errors may quote records.
 * @returns what ends it
 */
export function logEvents(pipeline: Pipeline, logger: Logger): () => void {
  const { name, plan } = pipeline
  const limits = { cores: availableCores(), availableBytes: availableMemory() }
  logger.info(
    { pipeline: name, workers: plan.workers.length, sharedBytes: plan.memoryBytes, ...limits },
    'pipeline.limits',
  )
  return pipeline.events.on('*', (event) => logger[EVENT_LEVELS[event.name] ?? 'info'](lineOf(event), event.name))
}

/** The logger has its own time, and the name is the text of the line. */
function lineOf(event: PipelineEvent): object {
  const failure = event['error'] ?? event['cause']
  const own = new Set(['name', 'time', 'error', 'cause'])
  const fields = Object.fromEntries(Object.entries(event).filter(([key]) => !own.has(key)))
  return {
    ...(shown(fields, LIMITS) as object),
    ...(failure === undefined ? {} : { err: errorOf(failure) }),
  }
}

/** An error as pino's own serialiser writes one; those of other threads are plain data. */
function errorOf(error: unknown): object {
  const fields = { type: 'name', code: 'code', message: 'message', stack: 'stack' }
  const known = Object.entries(fields).map(([key, name]) => [key, dataOf(error, name)] as const)
  return shown(Object.fromEntries(known.filter(([, value]) => typeof value === 'string')), LIMITS) as object
}
