import { parseArgs } from 'node:util'
import { MillraceError } from '../errors.ts'
import { shown } from '../shown.ts'
import { LIBRARY_VERSION } from '../version.ts'
import { UsageError, type Command, type Output } from './command.ts'
import { COMMANDS } from './commands.ts'
import { safeOutput } from './terminal-text.ts'

/** Problems are told all at once, however many there are. */
const WHOLE = { depth: 32, bytes: Infinity }

/**
 * Runs `millrace` with these arguments.
 * @returns the exit code: 0; 1 where the graph has errors, or something failed; 2 where the command was called wrongly
 */
export async function cli(args: readonly string[], given: Output): Promise<number> {
  const output = safeOutput(given)
  const [name = '', ...rest] = args
  if (name === '' || name === '--help' || name === '-h' || name === 'help') {
    output.print(overview())
    return name === '' ? 2 : 0
  }
  if (name === '--version' || name === '-v') {
    output.print(LIBRARY_VERSION)
    return 0
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command === undefined) {
    output.warn(`There is no command ${JSON.stringify(name)}.\n\n${overview()}`)
    return 2
  }
  return runCommand(name, command, rest, output)
}

async function runCommand(name: string, command: Command, args: readonly string[], output: Output): Promise<number> {
  try {
    const { values, positionals } = parse(command, args)
    if (values['help'] === true) {
      output.print(helpOf(name, command))
      return 0
    }
    return await command.run({ values, positionals, output })
  } catch (error) {
    if (error instanceof UsageError) {
      output.warn(`${error.message}\n\nUsage: millrace ${name} ${command.usage}\nSee: millrace ${name} --help`)
      return 2
    }
    if (!(error instanceof MillraceError)) throw error
    if (args.includes('--json')) {
      const { code, message, fix, detail } = error
      output.print(JSON.stringify({ error: { code, message, fix, detail: shown(detail, WHOLE) } }, undefined, 2))
    } else {
      output.warn(error.message)
    }
    return 1
  }
}

function parse(command: Command, args: readonly string[]): ReturnType<typeof parseArgs> {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { type, multiple = false }]) => [name, { type, multiple }]),
  )
  try {
    return parseArgs({ args: [...args], options: { ...options, help: { type: 'boolean' } }, allowPositionals: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function overview(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length))
  return [
    'Usage: millrace COMMAND …',
    '',
    ...Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'GRAPH is a module that exports a graph, or a JSON file. `millrace COMMAND --help` lists the options, `millrace --version` prints the version.',
  ].join('\n')
}

function helpOf(name: string, { summary, usage, options }: Command): string {
  const all: Command['options'] = { ...options, help: { type: 'boolean', text: 'Prints this help.' } }
  const rows = Object.entries(all).map(([option, { value, text }]) => ({
    left: `--${option}${value === undefined ? '' : ` ${value}`}`,
    text,
  }))
  const width = Math.max(...rows.map(({ left }) => left.length))
  return [
    `Usage: millrace ${name} ${usage}`,
    '',
    summary,
    '',
    ...rows.map(({ left, text }) => `  ${left.padEnd(width)}  ${text}`),
  ].join('\n')
}
