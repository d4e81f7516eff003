/** `npm start -- [DIR] [--json]`: imports the CSV files of a directory into PostgreSQL, or into the embedded database. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { addressOf } from './database.js'
import { type ImportResult, NothingToImport, importDirectory } from './import-directory.js'
import { type Screen, show } from './screen.js'
import { summarize, summaryText } from './summary.js'

const USAGE = `Usage: npm start -- [DIR] [--json]

Imports every CSV file of DIR (default: those of the package vega-datasets) into the database that DATABASE_URL names,
or into an embedded one in ./.millrace/import/database. --json ends with one line of JSON.`

/** Exit codes: 0 all was imported (dead letters included), 1 not all was, 2 called wrongly, 130 interrupted. */
const [INCOMPLETE, MISUSED, INTERRUPTED] = [1, 2, 130]

async function main(): Promise<number> {
  const given = parse()
  if (given === undefined) return MISUSED
  // With --json, stdout is for the one line.
  const stream = given.json ? process.stderr : process.stdout
  const dataDirectory = join('.millrace', 'import')
  const url = process.env['DATABASE_URL']
  stream.write(
    `Importing ${given.directory} into ${url === undefined ? join(dataDirectory, 'database') : addressOf(url)}\n`,
  )
  let screen: Screen | undefined
  let result
  try {
    result = await importDirectory({
      directory: given.directory,
      dataDirectory,
      signal: interruption((text) => {
        if (screen === undefined) stream.write(`${text}\n`)
        else screen.say(text)
      }),
      onRunning: (pipeline) => (screen = show(pipeline, stream)),
    })
  } catch (error) {
    if (!(error instanceof NothingToImport)) throw error
    console.error(error.message)
    return INCOMPLETE
  } finally {
    screen?.close()
  }
  stream.write(`${summaryText(result, stream.isTTY ? stream.columns : undefined)}\n`)
  if (given.json) console.log(JSON.stringify(summarize(result)))
  return exitCode(result)
}

function parse(): { directory: string; json: boolean } | undefined {
  try {
    const { values, positionals } = parseArgs({
      options: { json: { type: 'boolean', default: false } },
      allowPositionals: true,
    })
    if (positionals.length > 1) throw new Error('Name one directory.')
    return { directory: positionals[0] ?? vegaDatasets(), json: values.json }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
    return undefined
  }
}

function vegaDatasets(): string {
  return join(dirname(fileURLToPath(import.meta.resolve('vega-datasets'))), '..', 'data')
}

/** Aborted by the first Ctrl-C: what is on its way is written. The second one ends the process. */
function interruption(say: (text: string) => void): AbortSignal {
  const controller = new AbortController()
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED)
    say('Interrupted: writing what has been read. Once more ends at once.')
    controller.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return controller.signal
}

function exitCode(result: ImportResult): number {
  const { failure, incomplete } = summarize(result)
  if (failure !== undefined) return INCOMPLETE
  if (result.isInterrupted) return INTERRUPTED
  return incomplete === undefined ? 0 : INCOMPLETE
}

process.exitCode = await main()
