/** Prints `docs/events.md` from the table of events: `node build/scripts/print-events.js`. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { EVENTS } from 'millrace'

export function eventsPage(): string {
  const rows = Object.entries(EVENTS).flatMap(([name, { text, fields }]) => [
    `| \`${name}\` | | ${text} |`,
    ...Object.entries(fields).map(([field, meaning]) => `| | \`${field}\` | ${meaning} |`),
  ])
  return [
    '# Events',
    '',
    'What a pipeline tells while it runs: `pipeline.events.on(name, listener)`, with `*` for all of them, and the channel',
    '`millrace.NAME` of `node:diagnostics_channel` for all pipelines of the process. Each event has its `name`, the `pipeline`,',
    'the `time` in ms since 1970, and the fields below. Events of records are limited to some hundred a second for each worker;',
    '`suppressed` says how many were left out, and the counters of `pipeline.snapshot()` have them all. A listener that throws',
    'is dropped with a warning. This page is printed from `src/supervisor/events.ts`.',
    '',
    '| Event | Field | Meaning |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('../../docs/events.md', import.meta.url), eventsPage())
}
