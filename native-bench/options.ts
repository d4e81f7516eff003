import { parseArgs } from 'node:util'

const OPTIONS = {
  suite: { type: 'string', multiple: true, value: 'NAME', text: 'Runs this suite only; may be given several times.' },
  json: { type: 'boolean', text: 'Prints one line of JSON for each suite; the last line of stdout is one.' },
  save: {
    type: 'string',
    value: 'FILE',
    text: 'Puts the outcome into FILE; suites that it holds already are replaced.',
  },
  compare: { type: 'string', value: 'FILE', text: 'Prints each row beside the one of the same name in FILE.' },
  quick: { type: 'boolean', text: 'Few records and one round: whether everything works. The figures mean nothing.' },
  table: { type: 'boolean', text: 'Runs nothing: prints saved FILEs as Markdown tables.' },
  draw: { type: 'boolean', text: 'Runs nothing: draws the curves of saved FILEs, one line for each FILE.' },
  out: { type: 'string', value: 'FOLDER', text: 'Where `--draw` puts its pictures. Default: docs/pictures.' },
  help: { type: 'boolean', text: 'Prints this.' },
} as const

/** What the bench was called with. */
export interface BenchOptions {
  readonly suites: readonly string[]
  readonly isJson: boolean
  readonly save: string | undefined
  readonly compare: string | undefined
  readonly isQuick: boolean
  readonly mode: 'run' | 'table' | 'draw' | 'help'
  readonly files: readonly string[]
  readonly out: string
}

/** The bench was called wrongly: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** @throws UsageError */
export function readOptions(given: readonly string[], suites: readonly string[]): BenchOptions {
  const { values, positionals } = parse(given)
  const unknown = (values.suite ?? []).filter((name) => !suites.includes(name))
  if (unknown.length > 0)
    throw new UsageError(`There is no suite ${JSON.stringify(unknown[0])}. There are: ${suites.join(', ')}.`)
  const modes = (['help', 'table', 'draw'] as const).filter((mode) => values[mode] === true)
  if (modes.length > 1) throw new UsageError(`--${modes[0]} and --${modes[1]} do not go together.`)
  const mode = modes[0] ?? 'run'
  const takesFiles = mode === 'table' || mode === 'draw'
  if (takesFiles && positionals.length === 0) throw new UsageError(`--${mode} takes files that --save wrote.`)
  if (!takesFiles && positionals.length > 0)
    throw new UsageError(`${JSON.stringify(positionals[0])} is no option. A suite is named by --suite.`)
  return {
    suites: values.suite ?? suites,
    isJson: values.json === true,
    save: values.save,
    compare: values.compare,
    isQuick: values.quick === true,
    mode,
    files: positionals,
    out: values.out ?? 'docs/pictures',
  }
}

function parse(
  args: readonly string[],
): ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

export function helpText(suites: readonly { readonly name: string; readonly title: string }[]): string {
  const options = Object.entries(OPTIONS).map(([name, option]) => {
    const call = 'value' in option ? `--${name} ${option.value}` : `--${name}`
    return `  ${call.padEnd(18)}${option.text}`
  })
  return [
    'npm run bench -- [OPTIONS] [FILE ...]',
    '',
    ...options,
    '',
    'Suites (all run where none is named):',
    ...suites.map(({ name, title }) => `  ${name.padEnd(18)}${title}`),
  ].join('\n')
}
