/** Prints `docs/options.md`, and the options in `docs/control.md`, from the tables: `node build/scripts/print-options.js`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  ACK_RETRY_OPTIONS,
  BATCH_OPTIONS,
  BREAKER_OPTIONS,
  CLUSTER_OPTIONS,
  CONTROL_OPTIONS,
  CRON_OPTIONS,
  CSV_SINK_OPTIONS,
  CSV_SOURCE_OPTIONS,
  DRAIN_OPTIONS,
  DURABLE_OPTIONS,
  EDGE_OPTIONS,
  HTTP_SINK_OPTIONS,
  LIMIT_OPTIONS,
  INLINE_OPTIONS,
  NATS_SINK_OPTIONS,
  NATS_SOURCE_OPTIONS,
  NATS_VIA_OPTIONS,
  NDJSON_SINK_OPTIONS,
  NDJSON_SOURCE_OPTIONS,
  NODE_OPTIONS,
  type OptionSpec,
  type OptionTable,
  POSTGRES_SINK_OPTIONS,
  POSTGRES_SOURCE_OPTIONS,
  PROBE_OPTIONS,
  POSTGRES_VIA_OPTIONS,
  RABBITMQ_SINK_OPTIONS,
  RABBITMQ_SOURCE_OPTIONS,
  RABBITMQ_VIA_OPTIONS,
  REDIS_SINK_OPTIONS,
  REDIS_SOURCE_OPTIONS,
  REDIS_VIA_OPTIONS,
  RESTART_OPTIONS,
  RETRY_OPTIONS,
  RUN_OPTIONS,
  SCALE_OPTIONS,
  SERVE_OPTIONS,
  SIGNAL_OPTIONS,
  TAIL_OPTIONS,
  WATCH_OPTIONS,
  WHAT_IF_OPTIONS,
  WEBHOOK_OPTIONS,
} from '#src/options/index.js'

/** The tables in the order of the page. Nested ones stand behind those that use them. */
const SECTIONS: readonly { title: string; text: string; table: OptionTable }[] = [
  {
    title: 'Nodes',
    text: 'Options of `source`, `transform`, `buffer`, `conditional`, `merge` and `sink`.',
    table: NODE_OPTIONS,
  },
  { title: 'Nodes: `batch`', text: 'How a stage collects records.', table: BATCH_OPTIONS },
  { title: 'Nodes: `rateLimit`', text: 'A rate limit with more than a number.', table: LIMIT_OPTIONS },
  { title: 'Nodes: `scale`', text: 'How the number of workers follows the load.', table: SCALE_OPTIONS },
  { title: 'Sources: `ackRetry`', text: 'How a call of `ack` that fails is tried again.', table: ACK_RETRY_OPTIONS },
  { title: 'Nodes: `retry`', text: 'How a stage tries failed records again.', table: RETRY_OPTIONS },
  {
    title: 'Nodes: `breaker`',
    text: 'When a stage whose handler fails again and again makes a pause.',
    table: BREAKER_OPTIONS,
  },
  { title: 'Nodes and runs: `restart`', text: 'How crashed workers are replaced.', table: RESTART_OPTIONS },
  {
    title: 'Nodes: `resourceLimits`',
    text: 'As in `node:worker_threads`.',
    table: NODE_OPTIONS.resourceLimits.fields,
  },
  { title: 'Edges', text: 'Options of `connect`.', table: EDGE_OPTIONS },
  { title: 'Clusters', text: 'Options of `cluster`.', table: CLUSTER_OPTIONS },
  { title: 'Runs', text: 'Options of `run`, `rehearse` and `plan`.', table: RUN_OPTIONS },
  {
    title: 'Runs: `durable`',
    text: 'What outlives the process; see `docs/durability.md`.',
    table: DURABLE_OPTIONS,
  },
  { title: 'Drain', text: 'Options of `pipeline.drain`.', table: DRAIN_OPTIONS },
  { title: 'What if', text: 'Options of `pipeline.whatIf`.', table: WHAT_IF_OPTIONS },
  { title: 'Probe', text: 'Options of `pipeline.probe`.', table: PROBE_OPTIONS },
  {
    title: 'Control',
    text: 'Options of `control` and `serveControl`.',
    table: CONTROL_OPTIONS,
  },
  { title: 'Control: server', text: 'Further options of `serveControl`.', table: SERVE_OPTIONS },
  {
    title: 'Signals',
    text: 'Options of `handleSignals`. It also takes a `server`, a `logger` and an `exit`; see `docs/deploy.md`.',
    table: SIGNAL_OPTIONS,
  },
  {
    title: 'Test: `inline`',
    text: 'Options of `inline` of `millrace/test`. It also takes an `input`; see `docs/testing.md`.',
    table: INLINE_OPTIONS,
  },
  { title: 'Connectors: `natsSource`', text: 'See `docs/connectors/nats.md`.', table: NATS_SOURCE_OPTIONS },
  { title: 'Connectors: `natsSink`', text: 'See `docs/connectors/nats.md`.', table: NATS_SINK_OPTIONS },
  { title: 'Connectors: `redisSource`', text: 'See `docs/connectors/redis.md`.', table: REDIS_SOURCE_OPTIONS },
  { title: 'Connectors: `redisSink`', text: 'See `docs/connectors/redis.md`.', table: REDIS_SINK_OPTIONS },
  { title: 'Connectors: `rabbitmqSource`', text: 'See `docs/connectors/rabbitmq.md`.', table: RABBITMQ_SOURCE_OPTIONS },
  { title: 'Connectors: `rabbitmqSink`', text: 'See `docs/connectors/rabbitmq.md`.', table: RABBITMQ_SINK_OPTIONS },
  { title: 'Connectors: `postgresSource`', text: 'See `docs/connectors/postgres.md`.', table: POSTGRES_SOURCE_OPTIONS },
  { title: 'Connectors: `postgresSink`', text: 'See `docs/connectors/postgres.md`.', table: POSTGRES_SINK_OPTIONS },
  { title: 'Connectors: `webhookSource`', text: 'See `docs/connectors/http.md`.', table: WEBHOOK_OPTIONS },
  { title: 'Connectors: `httpSink`', text: 'See `docs/connectors/http.md`.', table: HTTP_SINK_OPTIONS },
  { title: 'Buffers: `nats`', text: 'The address of a buffer (`via`); see `docs/parts.md`.', table: NATS_VIA_OPTIONS },
  {
    title: 'Buffers: `redis`',
    text: 'The address of a buffer (`via`); see `docs/parts.md`.',
    table: REDIS_VIA_OPTIONS,
  },
  {
    title: 'Buffers: `rabbitmq`',
    text: 'The address of a buffer (`via`); see `docs/parts.md`.',
    table: RABBITMQ_VIA_OPTIONS,
  },
  {
    title: 'Buffers: `postgres`',
    text: 'The address of a buffer (`via`); see `docs/parts.md`.',
    table: POSTGRES_VIA_OPTIONS,
  },
  { title: 'Connectors: `csvSource`', text: 'See `docs/connectors/csv.md`.', table: CSV_SOURCE_OPTIONS },
  { title: 'Connectors: `csvSink`', text: 'See `docs/connectors/csv.md`.', table: CSV_SINK_OPTIONS },
  { title: 'Connectors: `ndjsonSource`', text: 'See `docs/connectors/ndjson.md`.', table: NDJSON_SOURCE_OPTIONS },
  { title: 'Connectors: `ndjsonSink`', text: 'See `docs/connectors/ndjson.md`.', table: NDJSON_SINK_OPTIONS },
  { title: 'Connectors: `watchSource`', text: 'See `docs/connectors/files.md`.', table: WATCH_OPTIONS },
  { title: 'Connectors: `tailSource`', text: 'See `docs/connectors/files.md`.', table: TAIL_OPTIONS },
  { title: 'Connectors: `cronSource`', text: 'See `docs/connectors/cron.md`.', table: CRON_OPTIONS },
]

export function optionsPage(): string {
  const sections = SECTIONS.flatMap(({ title, text, table }) => [`## ${title}`, '', text, '', ...tableOf(table), ''])
  return [
    '# Options',
    '',
    'Every option with its type, default, unit and bounds (inclusive, unless it says `above`). An option without a default is',
    'optional; its text says what happens without it. If options are invalid, nothing starts, and all problems are reported at once.',
    'This page is printed from `src/options`.',
    '',
    ...sections,
  ].join('\n')
}

/** `docs/control.md` with the options of the control API printed between its two marks. */
export function controlPage(page: string): string {
  const [before = '', rest = ''] = page.split(/(?<=<!-- options:.* -->\n)/)
  const after = rest.slice(rest.indexOf('<!-- /options -->'))
  const own = ['Options of `control` and `serveControl`:', '', ...tableOf(CONTROL_OPTIONS)]
  const further = ['Further options of `serveControl`:', '', ...tableOf(SERVE_OPTIONS)]
  return [before, ...['', ...own, '', ...further, ''].map((line) => `${line}\n`), after].join('')
}

/** The rows of a table of options, in Markdown. */
function tableOf(table: OptionTable): string[] {
  const hasKinds = Object.values(table).some(({ kinds }) => kinds !== undefined)
  const heads = ['Option', 'Type', 'Default', 'Unit', 'Bounds', ...(hasKinds ? ['Nodes'] : []), 'What it is']
  const rows = Object.entries(table).map(([name, spec]) =>
    [
      `\`${name}\``,
      typeOf(spec),
      defaultIn(spec),
      spec.unit ?? '',
      boundsOf(spec),
      ...(hasKinds ? [spec.kinds?.join(', ') ?? 'all'] : []),
      spec.text,
    ].join(' | '),
  )
  return [heads.join(' | '), heads.map(() => '---').join(' | '), ...rows].map((line) => `| ${line} |`)
}

function defaultIn({ default: standard }: OptionSpec): string {
  if (standard === undefined) return ''
  if (typeof standard !== 'object') return `\`${standard}\``
  return `\`${standard.else}\`; \`${standard.is}\` with ${standard.when.map((name) => `\`${name}\``).join(' or ')}`
}

function typeOf({ type, values, words, fields }: OptionSpec): string {
  if (words !== undefined) return `${type}, or ${quoted(words)}`
  if (type === 'handler') return 'function or `{ module, export }`'
  if (type === 'via') return 'what `nats`, `redis`, `rabbitmq` or `postgres` make'
  if (type === 'signal') return '`AbortSignal`'
  if (type === 'logger') return 'boolean or pino logger'
  if (type === 'limit') return 'number, or object, see below'
  if (type === 'codec') return `${quoted(values ?? [])}, \`{ struct }\` or \`{ bytes: 'borrow' }\``
  if (values !== undefined) return quoted(values)
  return fields === undefined ? type : 'object, see below'
}

function quoted(values: readonly string[]): string {
  return values.map((value) => `\`${value}\``).join(', ')
}

function boundsOf({ min, max, above }: OptionSpec): string {
  if (above !== undefined) return `above ${inWords(above)}${max === undefined ? '' : `, to ${inWords(max)}`}`
  if (min !== undefined && max !== undefined) return `${inWords(min)} to ${inWords(max)}`
  if (min !== undefined) return `from ${inWords(min)}`
  return max === undefined ? '' : `to ${inWords(max)}`
}

function inWords(value: number): string {
  return value.toLocaleString('en')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('../../docs/options.md', import.meta.url), optionsPage())
  const control = new URL('../../docs/control.md', import.meta.url)
  writeFileSync(control, controlPage(readFileSync(control, 'utf8')))
}
