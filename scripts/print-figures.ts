/** Prints `docs/figures.md` from the table of figures: `node build/scripts/print-figures.js`. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { EDGE_FIGURES, type Figure, HISTOGRAMS, JOURNAL_FIGURES, NODE_FIGURES, TIMES, TRIGGERS } from '#src/figures.js'
import { EDGE_RATES, NODE_RATES } from '#src/telemetry/rates.js'

type RateNames = readonly (readonly [counter: string, rate: string])[]

export function figuresPage(): string {
  const times = Object.entries(TIMES).map(([name, { text }]) => `| \`${name}\` | \`${name}Ms\` | ${text} |`)
  const histograms = Object.entries(HISTOGRAMS).map(
    ([name, { unit, metric, stages, text }]) =>
      `| \`${name}\` | ${unit} | ${whereOf(stages)} | \`millrace_${metric}\` | ${text} |`,
  )
  return [
    '# Figures',
    '',
    'What a running pipeline counts, times and measures. A figure has one name everywhere: in `pipeline.snapshot()`, in the answers',
    'of the [control API](control.md), in `millrace top --json`, and, in snake case, in `/metrics`. A count is a total since the',
    'start (`in`); its rate over a window is named after it (`inPerSecond`). `GET /figures` returns this table. This page is printed',
    'from `src/figures.ts`.',
    '',
    '## Nodes',
    '',
    'For each node that takes records: `in` = `done` + `filtered` + `failed` + `deadLettered` + `inFlight`.',
    '',
    ...table(NODE_FIGURES, NODE_RATES),
    '## Edges',
    '',
    ...table(EDGE_FIGURES, EDGE_RATES),
    '## Ingress journal',
    '',
    'Of a [durable](durability.md) run: `journal` in a snapshot, with `state`: `ok`, `full` or `failed`.',
    '',
    ...table(JOURNAL_FIGURES, []),
    '## Time of workers',
    '',
    'Every moment of a worker goes into one of these. A stage has the shares of all its workers, from 0 to 1; a worker in a snapshot',
    'has milliseconds since the start; `/metrics` has seconds, as `millrace_worker_time_seconds_total{spent="busy"}`.',
    '',
    '| Share | Milliseconds | Meaning |',
    '|---|---|---|',
    ...times,
    '',
    '## Histograms',
    '',
    'HdrHistograms with two significant digits. Counts are exact up to 2^53.',
    '',
    '| Kind | Unit | Stages | Metric | Meaning |',
    '|---|---|---|---|---|',
    ...histograms,
    '',
    '## Batches',
    '',
    'What completed a batch: `context.batch.trigger` in its handler. A stage counts its finished batches by trigger:',
    '`stages[node].batches` in a snapshot, `batches` of a stage in the API, `millrace_batches_total{trigger="size"}` in `/metrics`.',
    '',
    '| Trigger | Meaning |',
    '|---|---|',
    ...Object.entries(TRIGGERS).map(([name, { text }]) => `| \`${name}\` | ${text} |`),
    '',
  ].join('\n')
}

function table(figures: Readonly<Record<string, Figure>>, rates: RateNames): readonly string[] {
  const rateOf = new Map(rates)
  return [
    '| Name | Rate | Unit | Metric | Meaning |',
    '|---|---|---|---|---|',
    ...Object.entries(figures).map(
      ([name, { unit, metric, text }]) =>
        `| \`${name}\` | ${code(rateOf.get(name))} | ${unit} | ${code(metric && `millrace_${metric}`)} | ${text} |`,
    ),
    '',
  ]
}

function code(name: string | undefined): string {
  return name === undefined ? '' : `\`${name}\``
}

function whereOf(stages: readonly string[]): string {
  if (stages.length === 3) return 'all'
  if (stages.includes('source')) return 'sources'
  return stages.includes('inner') ? 'all but sources' : 'those without a stage below'
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('../../docs/figures.md', import.meta.url), figuresPage())
}
