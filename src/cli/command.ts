/** One option of a command, as `node:util`'s `parseArgs` takes it, and as the help prints it. */
export interface CommandOption {
  readonly type: 'string' | 'boolean'
  readonly multiple?: boolean
  /** What stands for the value in the help. */
  readonly value?: string
  readonly text: string
}

/** Of `--token`, wherever there is one. */
export const TOKEN_TEXT =
  'Token of the API. Other users of this machine can see the command line; MILLRACE_TOKEN is safer.'

/** Values of the options by name, as `parseArgs` gives them. */
export type Values = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>

export interface Call {
  readonly positionals: readonly string[]
  readonly values: Values
  readonly output: Output
}

/** Where a command writes: results to `print`, everything else to `warn`. Each call is a line or more. */
export interface Output {
  print(text: string): void
  warn(text: string): void
  /** Whether `print` goes to a terminal that takes colours. */
  readonly color: boolean
  /** The terminal that somebody looks at; absent where there is none. */
  readonly terminal?: Terminal
}

/** A terminal that can be drawn on. */
export interface Terminal {
  readonly columns: number
  readonly rows: number
  write(text: string): void
  /** @returns what ends the listening */
  onResize(listener: () => void): () => void
}

/** A command of `millrace`: one file each, listed in `commands.ts`. */
export interface Command {
  /** One line for the list of commands. */
  readonly summary: string
  /** What follows the name of the command. */
  readonly usage: string
  readonly options: Readonly<Record<string, CommandOption>>
  /** Returns the exit code: 0, or 1 where the graph has errors. Throws `UsageError` and `MillraceError`. */
  run(call: Call): Promise<number>
}

/** The command was called wrongly: exit code 2, with the usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The value of an option that takes a text. */
export function textOf(values: Values, name: string): string | undefined {
  const value = values[name]
  return typeof value === 'string' ? value : undefined
}

/** The values of an option that may be given several times. */
export function textsOf(values: Values, name: string): readonly string[] {
  const list = values[name]
  return Array.isArray(list) ? list.filter((value): value is string => typeof value === 'string') : []
}

/** @throws UsageError where it is no number of at least `least` */
export function numberOf(values: Values, name: string, least = 0): number | undefined {
  return checked(values, name, `of at least ${least}`, (value) => value >= least)
}

/** @throws UsageError where it is no number above 0 */
export function positiveOf(values: Values, name: string): number | undefined {
  return checked(values, name, 'above 0', (value) => value > 0)
}

function checked(values: Values, name: string, bounds: string, isGood: (value: number) => boolean): number | undefined {
  const text = textOf(values, name)
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || !isGood(value)) {
    throw new UsageError(`--${name} takes a number ${bounds}, not ${JSON.stringify(text)}.`)
  }
  return value
}
