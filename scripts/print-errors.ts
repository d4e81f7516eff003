/** Prints `docs/errors.md` from the table of errors: `node build/scripts/print-errors.js`. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ERROR_CODES } from 'millrace'

export function errorsPage(): string {
  const rows = Object.entries(ERROR_CODES).map(([code, { text, fix }]) => `| \`${code}\` | ${text} | ${fix} |`)
  return [
    '# Errors',
    '',
    'Every failure is a `MillraceError`. `code` is its code, `detail` says where and why (plain data), `fix` what to do. `message`',
    'contains all three, but for a long `detail.history`. A code is never renamed and never reused. This page is printed from `src/errors.ts`.',
    '',
    '| Code | What happened | What to do |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('../../docs/errors.md', import.meta.url), errorsPage())
}
