import { checkOptions } from './checks/options.js'
import { problem } from './problems.js'
/** All problems of options that stand by themselves: of a run, of a server. */
export function validateOptions(given, table) {
  const problems = []
  checkOptions({ given, table, place: {}, title: 'Options' }, (...finding) => void problems.push(problem(...finding)))
  return problems
}
