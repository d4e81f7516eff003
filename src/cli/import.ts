import { type Call, type Command, TOKEN_TEXT, UsageError, textOf } from './command.ts'
import { addressOfDatabase, importOnce, importProblem, wholeOf } from './import-run.ts'
import { serveImport } from './import-serve.ts'

export const importCommand: Command = {
  summary: 'Imports the files of a directory (CSV, NDJSON) into PostgreSQL: a table for each kind of file.',
  usage:
    'DIR | retry DIR | serve DIR [--cron EXPRESSION] [--watch] [--port N] | runs [--to postgres://…] [--source NAME] [--json]',
  options: {
    to: {
      type: 'string',
      value: 'URL',
      text: 'The database. Default: DATABASE_URL, otherwise an embedded one in .millrace/import.',
    },
    source: {
      type: 'string',
      value: 'NAME',
      text: 'Name under which the database keeps what comes from here. Default: that of the directory. With runs: only runs of this source.',
    },
    all: { type: 'boolean', text: 'Reads all files. Default: only files that changed since their import, or failed.' },
    propose: {
      type: 'boolean',
      text: 'Imports nothing. Prints a millrace-import.json for the directory, and the reasons on stderr.',
    },
    connections: { type: 'string', value: 'N', text: 'Maximum number of connections to a server. Default: 4.' },
    'rows-per-second': {
      type: 'string',
      value: 'N',
      text: 'Maximum number of rows read per second. Default: no limit.',
    },
    'statement-timeout': {
      type: 'string',
      value: 'MS',
      text: 'Time after which a statement is cancelled and its file fails. Default: the server setting.',
    },
    'max-dead': {
      type: 'string',
      value: 'PERCENT',
      text: 'A file with more dead letters than this fails, and its table stays as it was. Default: 50%.',
    },
    webhook: {
      type: 'string',
      value: 'URL',
      text: 'Address that gets a POST with JSON about failures, schema changes and dead letters.',
    },
    cron: {
      type: 'string',
      value: 'EXPRESSION',
      text: 'With serve: when an import is due, in five fields, or six with seconds in front: "15 3 * * *".',
    },
    'time-zone': {
      type: 'string',
      value: 'NAME',
      text: 'With serve: time zone of the expression. Default: that of the machine.',
    },
    watch: {
      type: 'boolean',
      text: 'With serve: also imports when files change, two seconds after the last change.',
    },
    port: {
      type: 'string',
      value: 'N',
      text: 'With serve: port of the page and the API. Default: none.',
    },
    host: { type: 'string', value: 'HOST', text: 'With --port: address of the page. Default: 127.0.0.1.' },
    token: { type: 'string', value: 'TOKEN', text: TOKEN_TEXT },
    'no-missed': {
      type: 'boolean',
      text: 'With serve: skips a run that was missed while the service was down. Default: it runs at once.',
    },
    limit: { type: 'string', value: 'N', text: 'With runs: how many of the last runs. Default: 20.' },
    json: { type: 'boolean', text: 'Ends with one line of JSON on stdout; everything else goes to stderr.' },
  },
  run(call) {
    const [first, ...more] = call.positionals
    if (first === 'runs') return runs(call, more)
    if (first === 'retry') return retry(call, more)
    if (first === 'serve') return serveImport(call, more)
    if (first === undefined || more.length > 0) throw new UsageError('Name one directory.')
    return call.values['propose'] === true ? propose(call, first) : importOnce(call, { directory: first })
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
    return importProblem(error, values, output)
  }
}

/** `retry`: files that failed, or have dead letters. */
async function retry(call: Call, [directory, ...more]: readonly string[]): Promise<number> {
  if (directory === undefined || more.length > 0) throw new UsageError('retry takes one directory.')
  return importOnce(call, { directory, files: 'failed' })
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
    return importProblem(error, values, output)
  }
}
