import { validateOptions } from '../analysis/validate-options.ts'
import { MillraceError } from '../errors.ts'
import { type OptionTable, resolve, type Resolved } from '../options/index.ts'

/** Options of a table with its defaults. @throws OPTIONS_INVALID */
export function checkedOptions<T extends OptionTable>(options: object, table: T): Resolved<T> {
  const problems = validateOptions(options, table)
  if (problems.length > 0) throw new MillraceError('OPTIONS_INVALID', { problems })
  return resolve(table, options)
}

/** Ends a pipeline with these options. Rejects with OPTIONS_INVALID. */
export function endedWith<Ended>(
  options: { readonly deadlineMs?: number },
  table: OptionTable,
  end: (deadlineMs?: number) => Promise<Ended>,
): Promise<Ended> {
  const problems = validateOptions(options, table)
  if (problems.length > 0) return Promise.reject(new MillraceError('OPTIONS_INVALID', { problems }))
  return end(options.deadlineMs)
}
