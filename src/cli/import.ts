import type { ImportOptions, Progress } from '../import/options.ts'
import type { ImportProblem } from '../import/problem.ts'
import type { Screen } from '../import/screen.ts'
import type { Pipeline } from '../supervisor/pipeline.ts'
import { type Call, type Command, type Output, UsageError, type Values, positiveOf, textOf } from './command.ts'
import { ProgressLines } from './import-progress.ts'

const INTERRUPTED = 130

export const importFiles: Command = {
  summary: 'Imports the files of a directory (CSV, NDJSON) into PostgreSQL: a table for each kind of file.',
  usage: 'DIR | retry DIR | serve DIR --cron EXPRESSION | runs [--to postgres://…] [--source NAME] [--json]',
  options: {
    to: {
      type: 'string',
      value: 'URL',
      text: 'The database. Default: that of DATABASE_URL, else an embedded one in .millrace/import.',
    },
    source: {
      type: 'string',
      value: 'NAME',
      text: 'The name that the database keeps for what comes from here. Default: that of the directory. With runs: of this one alone.',
    },
    all: { type: 'boolean', text: 'Reads all files. Default: those that changed since they were imported, or failed.' },
    propose: {
      type: 'boolean',
      text: 'Imports nothing: prints the millrace-import.json that would say what is found, and on stderr why.',
    },
    connections: { type: 'string', value: 'N', text: 'Most connections to a server. Default: 4.' },
    'rows-per-second': {
      type: 'string',
      value: 'N',
      text: 'Rows that are read in a second, at most. Default: any number.',
    },
    'statement-timeout': {
      type: 'string',
      value: 'MS',
      text: 'Longest time for one statement, after which its file fails. Default: as the server has it.',
    },
    'max-dead': {
      type: 'string',
      value: 'PERCENT',
      text: 'A file with more dead letters fails, and its table stays as it was. Default: 50%.',
    },
    webhook: {
      type: 'string',
      value: 'URL',
      text: 'Gets a POST with JSON on failure, on a schema change, and where there are dead letters.',
    },
    cron: {
      type: 'string',
      value: 'EXPRESSION',
      text: 'With serve: when an import is due, in five fields, or six with seconds in front: "15 3 * * *".',
    },
    'time-zone': {
      type: 'string',
      value: 'NAME',
      text: 'With serve: of the expression. Default: that of the machine.',
    },
    'no-missed': {
      type: 'boolean',
      text: 'With serve: a run that was due while nobody served is not made up for. Default: it is, at once.',
    },
    limit: { type: 'string', value: 'N', text: 'With runs: so many, the last ones. Default: 20.' },
    json: { type: 'boolean', text: 'Ends with one line of JSON on stdout; all else goes to stderr.' },
  },
  run(call) {
    const [first, ...more] = call.positionals
    if (first === 'runs') return runs(call, more)
    if (first === 'retry') return retry(call, more)
    if (first === 'serve') return serveDirectory(call, more)
    if (first === undefined || more.length > 0) throw new UsageError('Name one directory.')
    return call.values['propose'] === true ? propose(call, first) : importDirectoryOf(call, first, 'changed')
  },
}

/** `runs`: what the books have of runs. */
async function runs({ values, output }: Call, more: readonly string[]): Promise<number> {
  if (more.length > 0) throw new UsageError('runs takes no directory; --source names one source.')
  const { ImportProblem, listRuns, runsText } = await import('../import/index.ts')
  try {
    const list = await listRuns({
      to: addressOfDatabase(values),
      source: textOf(values, 'source'),
      limit: wholeOf(values, 'limit'),
    })
    output.print(values['json'] === true ? JSON.stringify(list) : runsText(list))
    return 0
  } catch (error) {
    if (!(error instanceof ImportProblem)) throw error
    return problem(error, values, output)
  }
}

/** `retry`: files that failed, or have dead letters. */
async function retry(call: Call, [directory, ...more]: readonly string[]): Promise<number> {
  if (directory === undefined || more.length > 0) throw new UsageError('retry takes one directory.')
  return importDirectoryOf(call, directory, 'failed')
}

/** `serve`: an import whenever it is due, until Ctrl-C. */
async function serveDirectory(call: Call, [directory, ...more]: readonly string[]): Promise<number> {
  const { values, output } = call
  const cron = textOf(values, 'cron')
  if (directory === undefined || more.length > 0) throw new UsageError('serve takes one directory.')
  if (cron === undefined) throw new UsageError('serve takes --cron, which says when.')
  const { ImportProblem, lastRunMs, openSchedule, serve } = await import('../import/index.ts')
  const say = (text: string): void => output.warn(text)
  const interruption = interrupts(say)
  try {
    await serve({
      schedule: await openSchedule(cron, textOf(values, 'time-zone')),
      lastRunMs: await lastRunMs({ directory, to: addressOfDatabase(values), source: textOf(values, 'source') }),
      makesUp: values['no-missed'] !== true,
      run: async () => void (await importDirectoryOf(call, directory, 'changed', interruption.signal)),
      onProblem: (error) => say(error instanceof Error ? (error.stack ?? error.message) : String(error)),
      onWaiting: (untilMs) => say(`The next import is due at ${new Date(untilMs).toISOString()}.`),
      signal: interruption.signal,
    })
    return 0
  } catch (error) {
    if (!(error instanceof ImportProblem)) throw error
    return problem(error, values, output)
  } finally {
    interruption.end()
  }
}

async function propose({ values, output }: Call, directory: string): Promise<number> {
  const { ImportProblem, proposeDeclaration } = await import('../import/index.ts')
  try {
    const { declared, evidence } = await proposeDeclaration(directory)
    for (const line of evidence) output.warn(line)
    output.print(JSON.stringify(declared, undefined, 2))
    return 0
  } catch (error) {
    if (!(error instanceof ImportProblem)) throw error
    return problem(error, values, output)
  }
}

async function importDirectoryOf(
  { values, output }: Call,
  directory: string,
  files: NonNullable<ImportOptions['files']>,
  signal?: AbortSignal,
): Promise<number> {
  const isJson = values['json'] === true
  const say = (text: string): void => (isJson ? output.warn(text) : output.print(text))
  const to = addressOfDatabase(values)
  const numbers = {
    connections: wholeOf(values, 'connections'),
    rowsPerSecond: positiveOf(values, 'rows-per-second'),
    statementTimeoutMs: wholeOf(values, 'statement-timeout'),
    maxDead: percentOf(textOf(values, 'max-dead')),
  }
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
  say(`Importing ${directory} into ${to === undefined ? '.millrace/import/database' : addressOf(to)}`)
  let screen: Screen | undefined
  const hasBars = output.terminal !== undefined && !isJson
  const progress = new ProgressLines((text) => {
    if (screen === undefined || !hasBars) say(text)
  })
  const interruption =
    signal === undefined
      ? interrupts((text) => (screen === undefined ? say(text) : screen.say(text)))
      : { signal, end: () => undefined }
  const webhook = webhookOf(values)
  try {
    const result = await importDirectory({
      directory,
      to,
      ...numbers,
      files: values['all'] === true ? 'all' : files,
      source: textOf(values, 'source'),
      signal: interruption.signal,
      onProgress: (now: Progress) => progress.see(now),
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
    return problem(error, values, output)
  } finally {
    progress.close()
    interruption.end()
  }
}

function problem(error: ImportProblem, values: Values, output: Output): number {
  output.warn(error.message)
  if (values['json'] === true) output.print(JSON.stringify({ error: { message: error.message } }))
  return error.exitCode
}

function addressOfDatabase(values: Values): string | undefined {
  return textOf(values, 'to') ?? process.env['DATABASE_URL']
}

function webhookOf(values: Values): string | undefined {
  const url = textOf(values, 'webhook')
  if (url !== undefined && !/^https?:\/\//.test(url))
    throw new UsageError(`--webhook takes an address that begins with http:// or https://, not ${JSON.stringify(url)}.`)
  return url
}

function wholeOf(values: Values, name: string): number | undefined {
  const value = positiveOf(values, name)
  if (value !== undefined && !Number.isInteger(value)) throw new UsageError(`--${name} takes a whole number.`)
  return value
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
function interrupts(say: (text: string) => void): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController()
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED)
    say('Interrupted: writing what has been read. Once more ends at once.')
    controller.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return { signal: controller.signal, end: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal) }
}
