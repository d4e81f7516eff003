export const LOG_LEVELS = ['debug', 'info', 'warn', 'error']
/** The level of each event; those that are not named are `info`. */
const LEVELS = {
  'record.retried': 'debug',
  'record.deadLettered': 'warn',
  'record.failed': 'warn',
  'ack.failed': 'warn',
  'worker.died': 'warn',
  'worker.hung': 'warn',
  'stage.gaveUp': 'error',
  'pipeline.stalled': 'warn',
  'pipeline.failed': 'error',
}
/** Acts and events, written to the server's logger; the level can be changed while it runs. */
export class Log {
  level = 'info'
  #logger
  constructor(logger) {
    // Its own level decides, whatever the server writes of its requests.
    this.#logger = logger.child({ name: 'millrace' }, { level: 'debug' })
  }
  event(event) {
    this.write(LEVELS[event.name] ?? 'info', event.name, { pipeline: event.pipeline, ...event.fields })
  }
  write(level, text, fields) {
    if (LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(this.level)) this.#logger[level](fields, text)
  }
}
