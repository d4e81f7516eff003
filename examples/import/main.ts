/** `npm start -- [DIR] [--json]`: imports the CSV files of a directory; without one, those of the package vega-datasets. */

import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ImportProblem, type Screen, exitCodeOf, importDirectory, show, summarize, summaryText } from 'millrace/import'

const USAGE = `npm start -- [DIR] [--json]

Imports the CSV files of DIR into the database that DATABASE_URL names: by default an embedded PostgreSQL.
Without DIR, it imports the data sets of the package vega-datasets. With --json, the outcome is one line.`

const { values, positionals } = given()
if (values.help) {
  console.log(USAGE)
  process.exit()
}
const vegaDatasets = join(dirname(fileURLToPath(import.meta.resolve('vega-datasets'))), '..', 'data')
// With --json, stdout is for the one line.
const stream = values.json ? process.stderr : process.stdout
const controller = new AbortController()
process.once('SIGINT', () => controller.abort())
let screen: Screen | undefined
try {
  const result = await importDirectory({
    directory: positionals[0] ?? vegaDatasets,
    ...(positionals[0] === undefined ? { source: 'vega' } : {}),
    to: process.env['DATABASE_URL'],
    signal: controller.signal,
    onProgress: ({ phase, files }) => {
      if (phase === 'opening') stream.write(`Opening the database for ${files} files.\n`)
    },
    onRunning: (pipeline) => {
      screen?.close()
      screen = show(pipeline, stream)
    },
  })
  screen?.close()
  const summary = summarize(result)
  stream.write(`${summaryText(summary, stream.isTTY ? stream.columns : undefined)}\n`)
  if (values.json) console.log(JSON.stringify(summary))
  process.exitCode = exitCodeOf(summary)
} catch (error) {
  screen?.close()
  if (!(error instanceof ImportProblem)) throw error
  console.error(error.message)
  process.exitCode = 1
}

function given() {
  try {
    return parseArgs({
      options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
      allowPositionals: true,
    })
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`)
    return process.exit(2)
  }
}
