/** One import from the command line: how far it is, the table at its end, the webhook, the exit code. */
import type { ImportOptions, Progress } from '../import/options.ts'
import type { ImportProblem } from '../import/problem.ts'
import type { Screen } from '../import/screen.ts'
import type { Pipeline } from '../supervisor/pipeline.ts'
import { type Call, type Output, UsageError, type Values, positiveOf, textOf } from './command.ts'
import { ProgressLines } from './import-progress.ts'

const INTERRUPTED = 130

/** @param given where the files are, and what else is not on the command line @returns the exit code */
export async function importOnce({ values, output }: Call, given: ImportOptions): Promise<number> {
  const isJson = values['json'] === true
  const say = (text: string): void => (isJson ? output.warn(text) : output.print(text))
  const to = addressOfDatabase(values)
  const {
    ImportProblem,
    addressOf,
    exitCodeOf,
    importDirectory,
    show,
    summarize,
    summaryText,
    tellProblem,
    tellWebhook,
  } = await import('../import/index.ts')
  say(`Importing ${given.directory} into ${to === undefined ? '.millrace/import/database' : addressOf(to)}`)
  let screen: Screen | undefined
  const hasBars = output.terminal !== undefined && !isJson
  const progress = new ProgressLines((text) => {
    if (screen === undefined || !hasBars) say(text)
  })
  const interruption = interruptionOf(given, (text) => (screen === undefined ? say(text) : screen.say(text)))
  const webhook = webhookOf(values)
  try {
    const result = await importDirectory({
      ...given,
      to,
      ...limitsOf(values),
      files: values['all'] === true ? 'all' : given.files,
      source: textOf(values, 'source'),
      signal: interruption.signal,
      onProgress: (now: Progress) => {
        given.onProgress?.(now)
        progress.see(now)
      },
      onRunning: (pipeline: Pipeline) => {
        screen?.close()
        const write = (text: string): void => (hasBars ? output.terminal.write(text) : say(text.trimEnd()))
        screen = show(pipeline, { isTTY: hasBars, write }, () => progress.text)
      },
    })
    screen?.close()
    const summary = summarize(result)
    say(summaryText(summary, isJson ? undefined : output.terminal?.columns))
    if (isJson) output.print(JSON.stringify(summary))
    const address = webhook ?? result.webhook
    const untold = address === undefined ? undefined : await tellWebhook(address, summary)
    if (untold !== undefined) output.warn(untold)
    return exitCodeOf(summary)
  } catch (error) {
    screen?.close()
    if (!(error instanceof ImportProblem)) throw error
    const untold = webhook === undefined ? undefined : await tellProblem(webhook, error)
    if (untold !== undefined) output.warn(untold)
    return importProblem(error, values, output)
  } finally {
    progress.close()
    interruption.end()
  }
}

/** Ctrl-C, where nobody else looks out for it. */
function interruptionOf({ signal }: ImportOptions, say: (text: string) => void): ReturnType<typeof interrupts> {
  return signal === undefined ? interrupts(say) : { signal, end: () => undefined }
}

/** Says why nothing was done. @returns the exit code */
export function importProblem(error: ImportProblem, values: Values, output: Output): number {
  output.warn(error.message)
  if (values['json'] === true) output.print(JSON.stringify({ error: { message: error.message } }))
  return error.exitCode
}

export function addressOfDatabase(values: Values): string | undefined {
  return textOf(values, 'to') ?? process.env['DATABASE_URL']
}

/** @throws UsageError */
export function webhookOf(values: Values): string | undefined {
  const url = textOf(values, 'webhook')
  if (url !== undefined && !/^https?:\/\//.test(url))
    throw new UsageError(`--webhook takes an address that begins with http:// or https://, not ${JSON.stringify(url)}.`)
  return url
}

/** @throws UsageError */
export function wholeOf(values: Values, name: string): number | undefined {
  const value = positiveOf(values, name)
  if (value !== undefined && !Number.isInteger(value)) throw new UsageError(`--${name} takes an integer.`)
  return value
}

/** @throws UsageError */
function limitsOf(
  values: Values,
): Pick<ImportOptions, 'connections' | 'rowsPerSecond' | 'statementTimeoutMs' | 'maxDead'> {
  return {
    connections: wholeOf(values, 'connections'),
    rowsPerSecond: positiveOf(values, 'rows-per-second'),
    statementTimeoutMs: wholeOf(values, 'statement-timeout'),
    maxDead: percentOf(textOf(values, 'max-dead')),
  }
}

/** `5%` or `5`. */
function percentOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const percent = Number(text.replace(/%$/, ''))
  if (text.trim() === '' || !(percent >= 0 && percent <= 100))
    throw new UsageError(`--max-dead takes a share of 0% to 100%, not ${JSON.stringify(text)}.`)
  return percent / 100
}

/** Aborted by the first Ctrl-C: what is on its way is written. The second one ends the process. */
export function interrupts(say: (text: string) => void): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController()
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED)
    say('Interrupted: writing what was read. A second Ctrl-C ends at once.')
    controller.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return { signal: controller.signal, end: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal) }
}
