import type { Problem } from '../analysis/types.ts'
import type { Output, Values } from './command.ts'
import { style } from './terminal-text.ts'

/** Problems for people: severity and code, what is wrong and where, and what to do. */
export function problemLines(problems: readonly Problem[], output: Output): string[] {
  return problems.flatMap(({ severity, code, message, fix }) => [
    `${style(severity === 'error' ? 'red' : 'yellow', severity.padEnd(7), output)}  ${style('bold', code, output)}`,
    `         ${message}`,
    `         ${fix}`,
    '',
  ])
}

/** The exit code that problems ask for: 1 on errors, and with `--strict` on warnings. */
export function exitCode(problems: readonly Problem[], values: Values): number {
  return problems.some(({ severity }) => severity === 'error' || values['strict'] === true) ? 1 : 0
}

/** `2 errors, 1 warning`; `no problems`. */
export function countText(problems: readonly Problem[]): string {
  const count = (severity: Problem['severity']): number => problems.filter((each) => each.severity === severity).length
  const parts = (['error', 'warning'] as const).flatMap((severity) => {
    const found = count(severity)
    return found === 0 ? [] : [`${found} ${severity}${found === 1 ? '' : 's'}`]
  })
  return parts.length === 0 ? 'no problems' : parts.join(', ')
}
