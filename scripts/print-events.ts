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
    'Events of a running pipeline. Listen with `pipeline.events.on(name, listener)`, or with `*` to all events. The channel',
    '`millrace.NAME` of `node:diagnostics_channel` has the events of all pipelines of the process. Each event has its `name`, `pipeline`,',
    '`time` in ms since 1970, and the fields below. Each worker emits at most 200 events of records per second, in bursts of 100;',
    '`suppressed` is the number left out, and the counters of `pipeline.snapshot()` count all of them. A listener that throws',
    'is removed with a warning. This page is printed from `src/supervisor/events.ts`.',
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
