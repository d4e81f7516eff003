/** Prints `docs/problems.md` from the table of problems: `node build/scripts/print-problems.js`. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PROBLEMS } from '#src/analysis/problems.js'

export function problemsPage(): string {
  const rows = Object.entries(PROBLEMS).map(
    ([code, { severity, text, fix }]) => `| \`${code}\` | ${severity} | ${text} | ${fix} |`,
  )
  return [
    '# Problems',
    '',
    'What `validate` and `millrace check` report. An error keeps a graph from running; a warning does not. A code is never',
    'renamed and never reused. This page is printed from `src/analysis/problems.ts`.',
    '',
    '| Code | Severity | What it means | What to do |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('../../docs/problems.md', import.meta.url), problemsPage())
}
