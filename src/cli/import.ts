import type { Screen } from '../import/screen.ts'
import type { Pipeline } from '../supervisor/pipeline.ts'
import { type Command, UsageError, positiveOf, textOf } from './command.ts'

const INTERRUPTED = 130

export const importFiles: Command = {
  summary: 'Imports the CSV files of a directory into PostgreSQL: a table for each kind of file.',
  usage: 'DIR [--to postgres://…] [--source NAME] [--connections N] [--max-dead PERCENT] [--json]',
  options: {
    to: {
      type: 'string',
      value: 'URL',
      text: 'The database. Default: that of DATABASE_URL, else an embedded one in .millrace/import.',
    },
    source: {
      type: 'string',
      value: 'NAME',
      text: 'The name that the database keeps for what comes from here. Default: that of the directory.',
    },
    connections: { type: 'string', value: 'N', text: 'Most connections to a server. Default: 4.' },
    'max-dead': {
      type: 'string',
      value: 'PERCENT',
      text: 'A file with more dead letters fails, and its table stays as it was. Default: 50%.',
    },
    json: { type: 'boolean', text: 'Ends with one line of JSON on stdout; all else goes to stderr.' },
  },
  async run({ positionals, values, output }) {
    const [directory, ...more] = positionals
    if (directory === undefined || more.length > 0) throw new UsageError('Name one directory.')
    const isJson = values['json'] === true
    const say = (text: string): void => (isJson ? output.warn(text) : output.print(text))
    const to = textOf(values, 'to') ?? process.env['DATABASE_URL']
    const connections = positiveOf(values, 'connections')
    if (connections !== undefined && !Number.isInteger(connections))
      throw new UsageError('--connections takes a whole number.')
    const { ImportProblem, addressOf, exitCodeOf, importDirectory, show, summarize, summaryText } =
      await import('../import/index.ts')
    const maxDead = percentOf(textOf(values, 'max-dead'))
    say(`Importing ${directory} into ${to === undefined ? '.millrace/import/database' : addressOf(to)}`)
    let screen: Screen | undefined
    const interruption = interrupts((text) => (screen === undefined ? say(text) : screen.say(text)))
    try {
      const result = await importDirectory({
        directory,
        ...(to === undefined ? {} : { to }),
        ...(connections === undefined ? {} : { connections }),
        ...(maxDead === undefined ? {} : { maxDead }),
        source: textOf(values, 'source'),
        signal: interruption.signal,
        onRunning: (pipeline: Pipeline) => {
          screen?.close()
          screen = show(pipeline, {
            isTTY: output.terminal !== undefined && !isJson,
            write: (text) =>
              output.terminal !== undefined && !isJson ? output.terminal.write(text) : say(text.trimEnd()),
          })
        },
      })
      screen?.close()
      const summary = summarize(result)
      say(summaryText(summary, isJson ? undefined : output.terminal?.columns))
      if (isJson) output.print(JSON.stringify(summary))
      return exitCodeOf(summary)
    } catch (error) {
      screen?.close()
      if (!(error instanceof ImportProblem)) throw error
      output.warn(error.message)
      if (isJson) output.print(JSON.stringify({ error: { message: error.message } }))
      return 1
    } finally {
      interruption.end()
    }
  },
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
