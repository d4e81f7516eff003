import { GRAPH_OPTIONS } from './load-graph.ts'
import { wallMs } from '../time.ts'
import type { TraceRange } from '../trace/source.ts'
import type { TraceListOptions } from '../trace/questions/traces.ts'
import { type Command, numberOf, textOf, textsOf, TOKEN_TEXT, UsageError, type Values } from './command.ts'

export const TRACE_COMMAND_OPTIONS: Command['options'] = {
  json: { type: 'boolean', text: 'Prints JSON.' },
  from: {
    type: 'string',
    value: 'TIME',
    text: 'Only events after this: a date, or how long ago, such as 15m, 1h, 2d.',
  },
  to: { type: 'string', value: 'TIME', text: 'Only events before this.' },
  pipeline: { type: 'string', value: 'NAME', text: 'Only events of this pipeline.' },
  run: { type: 'string', value: 'RUN', text: 'Only events of this run.' },
  node: { type: 'string', value: 'NODE', text: 'Traces with an event of this node; * matches anything.' },
  edge: { type: 'string', value: 'N', text: 'Traces with an event of this edge: its index in the graph.' },
  kind: {
    type: 'string',
    value: 'KIND',
    text: 'Traces with an event of this kind: open, hop, batch, emit, fail, retry, dead, drop, …',
  },
  outcome: {
    type: 'string',
    value: 'OUTCOME',
    text: 'Traces with an event of this outcome: failed, retried, dropped, `died`, …',
  },
  error: { type: 'string', value: 'TEXT', text: 'Traces with an error like this; * matches anything.' },
  record: { type: 'string', value: 'RECORD', text: 'Traces that this record belongs to.' },
  attr: {
    type: 'string',
    multiple: true,
    value: 'NAME=VALUE',
    text: 'Traces with an event with this attribute. Repeatable.',
  },
  status: { type: 'string', value: 'STATUS', text: 'Traces that are open, ok or failed.' },
  'min-ms': {
    type: 'string',
    value: 'MS',
    text: 'Traces, or slow transfers, of at least this number of milliseconds.',
  },
  'max-ms': { type: 'string', value: 'MS', text: 'Traces of at most this number of milliseconds.' },
  'min-bytes': { type: 'string', value: 'N', text: 'Traces with an event of at least this number of bytes.' },
  limit: { type: 'string', value: 'N', text: 'How many are shown. Default: 50 traces, 20 transfers.' },
  cursor: { type: 'string', value: 'CURSOR', text: 'Cursor of the next page, as printed on the page before.' },
  token: { type: 'string', value: 'TOKEN', text: TOKEN_TEXT },
  up: { type: 'boolean', text: 'Lineage: where the record came from, instead of its results.' },
  by: {
    type: 'string',
    value: 'wait|service',
    text: 'Slow transfers: by the time on the lane (default) or in the handler.',
  },
  at: { type: 'string', value: 'TIME', text: 'Moment: when. A date, or how long ago. Default: now.' },
  module: { type: 'string', value: 'FILE', text: 'Replay: the module whose graph has the node.' },
  graph: GRAPH_OPTIONS.graph,
  params: GRAPH_OPTIONS.params,
  rate: { type: 'string', value: 'SHARE', text: 'Rate: traces this share of the chunks from now on, 0 to 1.' },
  every: { type: 'string', value: 'N', text: 'Rate: also traces one in this number of chunks from now on; 0: none.' },
  trace: { type: 'string', value: 'TRACE', text: 'Exports only this trace.' },
  format: { type: 'string', value: 'FORMAT', text: 'Export: perfetto, otlp, ndjson, svg or recording.' },
  out: { type: 'string', value: 'FILE', text: 'Export: file to write. Default: a text is printed.' },
  url: {
    type: 'string',
    value: 'URL',
    text: 'Export: where spans go. Default: OTEL_EXPORTER_OTLP_ENDPOINT; without it, they are printed.',
  },
}

/** @throws UsageError */
export function rangeOf(values: Values): TraceRange {
  return {
    pipeline: textOf(values, 'pipeline'),
    run: textOf(values, 'run'),
    from: timeOf(values, 'from'),
    to: timeOf(values, 'to'),
  }
}

/** @throws UsageError */
export function atOf(values: Values): number {
  return timeOf(values, 'at') ?? wallMs()
}

/** @throws UsageError */
export function filterOf(values: Values): TraceListOptions {
  return {
    ...rangeOf(values),
    node: textOf(values, 'node'),
    edge: numberOf(values, 'edge'),
    kind: textOf(values, 'kind'),
    outcome: textOf(values, 'outcome'),
    error: textOf(values, 'error'),
    record: textOf(values, 'record'),
    attributes: attributesOf(values),
    status: statusOf(values),
    minMs: numberOf(values, 'min-ms'),
    maxMs: numberOf(values, 'max-ms'),
    minBytes: numberOf(values, 'min-bytes'),
    limit: numberOf(values, 'limit', 1),
    cursor: textOf(values, 'cursor'),
  }
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function timeOf(values: Values, name: string): number | undefined {
  const text = textOf(values, name)
  if (text === undefined) return undefined
  const ago = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text)
  const time = ago === null ? Date.parse(text) : wallMs() - Number(ago[1]) * UNITS[ago[2]!]!
  if (Number.isNaN(time))
    throw new UsageError(`--${name} takes a date or how long ago, such as 15m, not ${JSON.stringify(text)}.`)
  return time
}

function attributesOf(values: Values): Readonly<Record<string, string>> {
  const pairs = textsOf(values, 'attr').map((pair): [string, string] => {
    const at = pair.indexOf('=')
    if (at < 1) throw new UsageError(`--attr takes NAME=VALUE, not ${JSON.stringify(pair)}.`)
    return [pair.slice(0, at), pair.slice(at + 1)]
  })
  return Object.fromEntries(pairs)
}

function statusOf(values: Values): 'open' | 'ok' | 'failed' | undefined {
  const status = textOf(values, 'status')
  if (status === undefined || status === 'open' || status === 'ok' || status === 'failed') return status
  throw new UsageError(`--status takes open, ok or failed, not ${JSON.stringify(status)}.`)
}
