import { durationText, percentText } from '../render/text.ts'
import type { Audit } from '../trace/questions/audit.ts'
import type { Dependency } from '../trace/questions/dependencies.ts'
import type { Lineage } from '../trace/questions/lineage.ts'
import type { TraceMoment } from '../trace/questions/moment.ts'
import type { PathTimes } from '../trace/questions/paths.ts'
import type { Transfer } from '../trace/questions/slow.ts'
import type { Span, TraceView } from '../trace/questions/trace-view.ts'
import type { TraceList } from '../trace/questions/traces.ts'
import type { Output } from './command.ts'
import { type Column, cell, oneLine, table } from './table.ts'
import { style } from './terminal-text.ts'
import type { StoreSummary } from './trace-summary.ts'

export type Lines<T> = (found: T, output: Output) => readonly string[]

const BAR = 40

function columns(titles: readonly string[], right: readonly string[] = []): Column[] {
  return titles.map((title) => ({ title, align: right.includes(title) ? 'right' : 'left' }))
}

function timeText(at: number): string {
  return new Date(at).toISOString()
}

export const summaryLines: Lines<StoreSummary> = ({ runs, tornBytes, damagedBlocks }, output) => {
  const rows = runs.map(({ run, pipeline, startedAt, endedAt, nodes, events, traces }) => [
    cell(pipeline),
    run,
    timeText(startedAt),
    durationText(endedAt - startedAt),
    String(nodes),
    String(traces),
    String(events),
  ])
  const titles = ['PIPELINE', 'RUN', 'FROM', 'FOR', 'NODES', 'TRACES', 'EVENTS']
  return [
    ...table(columns(titles, ['FOR', 'NODES', 'TRACES', 'EVENTS']), rows, output),
    ...(rows.length === 0 ? ['No events.'] : []),
    ...(tornBytes + damagedBlocks > 0
      ? [`Damaged: ${tornBytes} bytes at the end of segments, ${damagedBlocks} blocks.`]
      : []),
  ]
}

export const listLines: Lines<TraceList> = ({ traces, total, next }, output) => {
  const rows = traces.map(({ trace, status, startedAt, durationMs, records, troubles, nodes, isIncomplete }) => [
    trace,
    isIncomplete ? `${status} (incomplete)` : status,
    timeText(startedAt),
    durationText(durationMs),
    String(records),
    String(troubles),
    nodes.map(oneLine).join(' → '),
  ])
  const titles = ['TRACE', 'STATUS', 'STARTED', 'TOOK', 'RECORDS', 'TROUBLES', 'NODES']
  return [
    ...table(columns(titles, ['TOOK', 'RECORDS', 'TROUBLES']), rows, output),
    `${traces.length} of ${total}${next === undefined ? '' : `; more: --cursor ${next}`}`,
  ]
}

export const traceLines: Lines<TraceView> = ({ summary, spans, criticalPath }, output) => {
  const onPath = new Set(criticalPath.spans)
  const rows = spans.map((span, place) => [
    `${'  '.repeat(Math.min(span.depth, 12))}${onPath.has(place) ? '●' : '○'} ${cell(span.event.node)}`,
    span.event.kind,
    span.event.outcome === 'ok'
      ? ''
      : `${span.event.outcome}${span.event.error === undefined ? '' : `: ${oneLine(span.event.error.message)}`}`,
    String(span.taken),
    String(span.sent),
    durationText(span.waitMs),
    durationText(span.serviceMs),
    waterfall(span, summary.durationMs),
  ])
  const { waiting, service, retry, other } = criticalPath
  const titles = ['NODE', 'KIND', 'OUTCOME', 'TOOK', 'SENT', 'WAITED', 'SERVICE', '']
  return [
    `${style('bold', summary.trace, output)}  ${summary.status}${summary.isIncomplete ? ', incomplete' : ''}  ${timeText(summary.startedAt)}  ${durationText(summary.durationMs)}`,
    '',
    ...table(columns(titles, ['TOOK', 'SENT', 'WAITED', 'SERVICE']), rows, output),
    '',
    `Critical path ●  ${durationText(criticalPath.totalMs)}: waiting ${percentText(waiting)}, service ${percentText(service)}, retries ${percentText(retry)}, other ${percentText(other)}`,
  ]
}

/** Where a span lies in its trace: on the lane ░, in hand █. */
function waterfall({ writtenMs, takenMs, endMs }: Span, wholeMs: number): string {
  const at = (ms: number): number => (wholeMs === 0 ? 0 : Math.round((ms / wholeMs) * BAR))
  const [written, taken] = [at(writtenMs), at(takenMs)]
  const end = Math.max(at(endMs), taken + 1)
  return ' '.repeat(written) + '░'.repeat(taken - written) + '█'.repeat(end - taken)
}

export const lineageLines: Lines<Lineage> = ({ steps, links, direction, record, isComplete }, output) => {
  const before = new Map<number, number[]>()
  for (const [from, to] of links) before.set(to, [...(before.get(to) ?? []), from])
  const rows = steps.map(({ record, node, fate, reason, attempt, at, waitMs, serviceMs }, place) => [
    String(place),
    (before.get(place) ?? []).join(),
    record,
    cell(node),
    fate,
    String(attempt),
    timeText(at),
    waitMs === undefined ? '' : durationText(waitMs),
    durationText(serviceMs),
    reason === undefined ? '' : oneLine(reason),
  ])
  return [
    `${direction === 'up' ? 'Where it came from' : 'Its results'}: ${record}`,
    '',
    ...table(
      columns(
        ['#', 'OF', 'RECORD', 'NODE', 'FATE', 'ATTEMPT', 'AT', 'WAITED', 'SERVICE', 'WHY'],
        ['#', 'ATTEMPT', 'WAITED', 'SERVICE'],
      ),
      rows,
      output,
    ),
    ...(isComplete ? [] : ['', 'Records may be missing: events were dropped or truncated.']),
  ]
}

export const dependencyLines: Lines<readonly Dependency[]> = (found, output) => {
  const rows = found.map(({ from, to, edge, records, bytes, transfer }) => [
    cell(from),
    cell(to),
    String(edge),
    String(records),
    String(bytes),
    durationText(transfer.meanMs),
    durationText(transfer.p99Ms),
  ])
  const titles = ['FROM', 'TO', 'EDGE', 'RECORDS', 'BYTES', 'MEAN', 'P99']
  return [...table(columns(titles, titles.slice(2)), rows, output), ...(rows.length === 0 ? ['No transfers.'] : [])]
}

export const slowLines: Lines<readonly Transfer[]> = (found, output) => {
  const rows = found.map(({ trace, node, edge, records, waitMs, serviceMs, depth, writtenAt }) => [
    durationText(waitMs),
    durationText(serviceMs),
    cell(node),
    String(edge),
    String(records),
    depth === undefined ? '' : String(depth),
    timeText(writtenAt),
    trace,
  ])
  const titles = ['WAITED', 'SERVICE', 'TO', 'EDGE', 'RECORDS', 'DEPTH', 'WRITTEN', 'TRACE']
  return [
    ...table(columns(titles, ['WAITED', 'SERVICE', 'EDGE', 'RECORDS', 'DEPTH']), rows, output),
    ...(rows.length === 0 ? ['No transfers.'] : []),
  ]
}

export const pathLines: Lines<readonly PathTimes[]> = (found, output) => {
  const rows = found.map(({ nodes, times, waiting, service, other }) => [
    durationText(times.p50Ms),
    durationText(times.p99Ms),
    durationText(times.maxMs),
    String(times.count),
    percentText(waiting),
    percentText(service),
    percentText(other),
    nodes.map(oneLine).join(' → '),
  ])
  const titles = ['P50', 'P99', 'MAX', 'RECORDS', 'WAITING', 'SERVICE', 'OTHER', 'WAY']
  return [
    ...table(columns(titles, titles.slice(0, -1)), rows, output),
    ...(rows.length === 0 ? ['No trace has ended.'] : []),
  ]
}

export const momentLines: Lines<TraceMoment> = ({ at, edges, nodes, open }, output) => [
  `${timeText(at)}: ${open} traces were open`,
  '',
  ...table(
    columns(['NODE', 'IN PROGRESS', 'BUSY'], ['IN PROGRESS', 'BUSY']),
    nodes.map(({ node, inHand, busy }) => [cell(node), String(inHand), percentText(busy)]),
    output,
  ),
  '',
  ...table(
    columns(['EDGE', 'WAITING'], ['EDGE', 'WAITING']),
    edges.map(({ edge, waiting }) => [String(edge), String(waiting)]),
    output,
  ),
]

export const auditLines: Lines<Audit> = ({ edges, findings, isBalanced, incompleteTraces, events }, output) => {
  const books = edges.map(({ edge, sent, arrived, inFlight, lost }) =>
    [edge, sent, arrived, inFlight, lost].map(String),
  )
  const titles = ['EDGE', 'SENT', 'ARRIVED', 'IN FLIGHT', 'LOST']
  const found = findings.map(({ kind, edge, node, records, traces }) => [
    kind,
    String(edge),
    cell(node),
    String(records.length),
    records.slice(0, 3).join(' ') + (records.length > 3 ? ' …' : ''),
    traces[0] ?? '',
  ])
  return [
    ...table(columns(titles, titles), books, output),
    ...(found.length === 0
      ? []
      : [
          '',
          ...table(columns(['WHAT', 'EDGE', 'NODE', 'COUNT', 'RECORDS', 'TRACE'], ['EDGE', 'COUNT']), found, output),
        ]),
    '',
    `${isBalanced ? 'The books balance' : 'The books do not balance'}: ${events} events${incompleteTraces > 0 ? `, ${incompleteTraces} traces with events that were dropped` : ''}.`,
  ]
}
