/** The bench: `npm run bench -- --help`. Suites run one after the other; each prints a table, or a line of JSON. */
import { drawCurves } from './draw.ts'
import { machine } from './machine.ts'
import { type BenchOptions, UsageError, helpText, readOptions } from './options.ts'
import { type SuiteRun, readSaved, save } from './saved.ts'
import { FULL, QUICK, compete } from './suite.ts'
import { SUITES } from './suites.ts'
import { comparison, machineLine, markdown, textTable } from './tables.ts'

/** Progress goes to stderr, so that stdout is the outcome. */
function progress(text: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${text}` : `${text}\n`)
}

async function runSuites(options: BenchOptions): Promise<void> {
  const before = options.compare === undefined ? undefined : readSaved(options.compare)
  const scale = options.isQuick ? QUICK : FULL
  for (const suite of SUITES.filter(({ name }) => options.suites.includes(name))) {
    const on = machine()
    const outcome = await compete(suite, scale, (round) =>
      progress(`${suite.name}: ${round < 0 ? 'warming up' : `round ${round + 1} of ${scale.rounds}`}`),
    )
    if (process.stderr.isTTY) progress('')
    const run: SuiteRun = { suite: suite.name, machine: on, ...outcome }
    if (options.save !== undefined) save(options.save, [run])
    if (options.isJson) {
      console.log(JSON.stringify(run))
      continue
    }
    console.log(`\n${suite.name}: ${suite.title}\n${machineLine(on)}\n${textTable(run)}`)
    if (before !== undefined)
      console.log(
        `\n${comparison(
          run,
          before.find(({ suite }) => suite === run.suite),
        )}`,
      )
  }
}

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(
      args,
      SUITES.map(({ name }) => name),
    )
    if (options.mode === 'help') console.log(helpText(SUITES))
    else if (options.mode === 'table') console.log(markdown(options.files.flatMap(readSaved)))
    else if (options.mode === 'draw')
      for (const path of drawCurves(options.files.map(readSaved), options.out)) console.log(path)
    else await runSuites(options)
    return 0
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\nnpm run bench -- --help tells the options.`)
      return 2
    }
    console.error(error)
    return 1
  }
}

// A suite that failed may leave threads behind.
process.exit(await main(process.argv.slice(2)))
