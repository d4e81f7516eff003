import type { GraphAnswer, Live, LoggedEvent } from '../control/index.ts'
import { durationText, numberText, percentText, rateText } from '../render/text.ts'
import type { Output } from './command.ts'
import { bar, cell, style, table, type Column } from './table.ts'

const MOST_EVENTS = 8

/** A pipeline just now, in lines: the sentence, its stages, its edges, its last events. */
export function liveLines(
  name: string,
  graph: GraphAnswer,
  live: Live,
  events: readonly LoggedEvent[],
  output: Output,
): string[] {
  const { state, isPaused, elapsedMs, bottleneck, deadLetters } = live
  const shown = isPaused && state === 'running' ? 'paused' : state
  const letters = deadLetters === 0 ? '' : `   ${numberText(deadLetters)} dead letters`
  return [
    `${style('bold', name, output)}   ${style(colorOf(shown), shown, output)}   ${durationText(elapsedMs)}${letters}`,
    '',
    ...wrapped(`${bottleneck.sentence}. ${bottleneck.remedy}`, output.terminal?.columns ?? 100),
    '',
    ...stageLines(live, output),
    '',
    ...edgeLines(graph, live, output),
    ...(events.length === 0 ? [] : ['', style('bold', 'EVENTS', output)]),
    ...events.slice(-MOST_EVENTS).toReversed().map(eventLine),
  ]
}

/** A text in lines of at most so many characters, cut between words. */
function wrapped(text: string, columns: number): string[] {
  const lines = ['']
  for (const word of text.trim().split(' ')) {
    const line = lines.at(-1)!
    if (line !== '' && line.length + 1 + word.length > columns) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines
}

function colorOf(state: string): 'green' | 'yellow' | 'red' {
  if (state === 'failed') return 'red'
  return state === 'running' || state === 'finished' || state === 'drained' ? 'green' : 'yellow'
}

function right(title: string): Column {
  return { title, align: 'right' }
}

function stageLines({ stages, bottleneck }: Live, output: Output): string[] {
  const columns = [
    { title: 'STAGE' },
    right('WORKERS'),
    right('IN'),
    right('OUT'),
    { title: 'BUSY' },
    right(''),
    right('BLOCKED'),
    right('LIMITED'),
    right('P99'),
    right('IN FLIGHT'),
    right('FAILED'),
    right('RESTARTS'),
  ]
  const rows = stages.map(({ node, workers, in: into, out, shares, p99Ms, inFlight, failed, deadLettered }) => [
    `${node === bottleneck.node ? '▸ ' : '  '}${cell(node)}`,
    String(workers.length),
    rateText(into),
    rateText(out),
    bar(shares.busy),
    percentText(shares.busy),
    percentText(shares.blocked),
    percentText(shares.limited),
    p99Ms === 0 ? '–' : durationText(p99Ms),
    numberText(inFlight),
    numberText(failed + deadLettered),
    String(workers.reduce((sum, { epoch }) => sum + epoch, 0)),
  ])
  return table(columns, rows, output)
}

function edgeLines({ edges }: GraphAnswer, live: Live, output: Output): string[] {
  const columns: Column[] = [
    { title: 'EDGE' },
    { title: 'RATE', align: 'right' },
    { title: 'FILL' },
    { title: '', align: 'right' },
    { title: 'DROPPED', align: 'right' },
  ]
  const rows = live.edges.map(({ rate, queued, capacity, dropped }, i) => {
    const fill = capacity === 0 ? 0 : Math.min(1, queued / capacity)
    const { from, to } = edges[i] ?? { from: '', to: '' }
    return [`  ${cell(from)} → ${cell(to)}`, rateText(rate), bar(fill), percentText(fill), numberText(dropped)]
  })
  return table(columns, rows, output)
}

function eventLine({ time, name, fields }: LoggedEvent): string {
  const { node, worker, error, cause } = fields as {
    node?: string
    worker?: number
    error?: { name: string; message?: string }
    cause?: { name: string; message?: string }
  }
  const place = node === undefined ? '' : ` ${cell(node)}${worker === undefined ? '' : ` #${worker}`}`
  const why = error ?? cause
  return `  ${new Date(time).toISOString().slice(11, 19)}  ${name}${place}${why === undefined ? '' : `  ${cell(why.message ?? why.name)}`}`
}
