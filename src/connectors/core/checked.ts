import { validateOptions } from '../../analysis/validate-options.ts'
import { problem, quote } from '../../analysis/problems.ts'
import { MillraceError } from '../../errors.ts'
import { type OptionTable, resolve, type Resolved } from '../../options/index.ts'

/**
 * The options of a connector with every default filled in.
 * @param required those that have no default and must be given
 * @throws OPTIONS_INVALID with all problems
 */
export function checked<T extends OptionTable>(
  connector: string,
  given: object,
  table: T,
  required: readonly string[],
): Resolved<T> {
  const problems = validateOptions(given, table)
  const missing = problems.length > 0 ? [] : required.filter((name) => Reflect.get(given, name) === undefined)
  for (const option of missing)
    problems.push(problem('OPTION_TYPE_WRONG', `Options: ${quote(option)} must be given.`, { option }))
  if (problems.length > 0) throw new MillraceError('OPTIONS_INVALID', { connector, problems })
  return resolve(table, given)
}
