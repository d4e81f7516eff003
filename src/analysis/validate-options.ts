import type { OptionTable } from '../options/index.ts'
import { checkOptions, isPlain } from './checks/options.ts'
import { problem, showValue } from './problems.ts'
import type { Problem } from './types.ts'

/** All problems of options that stand by themselves: of a run, of a server. */
export function validateOptions(given: object, table: OptionTable): Problem[] {
  if (!isPlain(given)) return [problem('ENTRY_INVALID', `The options are ${showValue(given)}, not an object.`)]
  const problems: Problem[] = []
  checkOptions({ given, table, place: {}, title: 'Options' }, (...finding) => void problems.push(problem(...finding)))
  return problems
}
