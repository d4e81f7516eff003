/** `millrace import serve`: imports whenever they are due, until Ctrl-C; with a page where a port is given. */
import type { ControlServer } from '../control/index.ts'
import type { ImportService } from '../import/service.ts'
import { type Call, UsageError, numberOf, textOf } from './command.ts'
import { addressOfDatabase, importOnce, importProblem, interrupts, webhookOf } from './import-run.ts'
import { loadControl } from './load-control.ts'

export async function serveImport(call: Call, [directory, ...more]: readonly string[]): Promise<number> {
  const { values, output } = call
  const [cron, watch] = [textOf(values, 'cron'), values['watch'] === true]
  if (directory === undefined || more.length > 0) throw new UsageError('serve takes one directory.')
  if (cron === undefined && !watch) throw new UsageError('serve takes --cron, which says when, or --watch, or both.')
  webhookOf(values)
  const { ImportProblem, ImportService } = await import('../import/index.ts')
  const say = (text: string): void => output.warn(text)
  const interruption = interrupts(say)
  let server: ControlServer | undefined
  try {
    const service = await ImportService.open({
      directory,
      to: addressOfDatabase(values),
      source: textOf(values, 'source'),
      cron,
      timeZone: textOf(values, 'time-zone'),
      watch,
      makesUp: values['no-missed'] !== true,
      importing: (given) => importOnce(call, given),
      onProblem: say,
      onWaiting: (untilMs) =>
        say(
          untilMs === undefined
            ? 'Waiting for changes.'
            : `The next import is due at ${new Date(untilMs).toISOString()}.`,
        ),
      signal: interruption.signal,
    })
    server = await served(call, service)
    if (server !== undefined) say(`Imports: ${server.url}/#/imports`)
    await service.ended
    return 0
  } catch (error) {
    if (!(error instanceof ImportProblem)) throw error
    return importProblem(error, values, output)
  } finally {
    await server?.close()
    interruption.end()
  }
}

/** @throws CONTROL_NOT_INSTALLED, CONTROL_NOT_LISTENING, ADDRESS_NEEDS_TOKEN where a port is given */
async function served({ values }: Call, service: ImportService): Promise<ControlServer | undefined> {
  const [port, host] = [numberOf(values, 'port'), textOf(values, 'host')]
  const token = textOf(values, 'token') ?? process.env['MILLRACE_TOKEN']
  if (port === undefined) return undefined
  const { serveControl } = await loadControl()
  const { view } = service
  return serveControl([], {
    port,
    ...(host === undefined ? {} : { host }),
    ...(token === undefined ? {} : { token }),
    imports: { [view.source]: service },
  })
}
