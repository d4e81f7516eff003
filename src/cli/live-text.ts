import type { ErrorView, GraphAnswer, Live, LoggedEvent } from '../control/index.ts'
import { durationText, numberText, percentText, rateText } from '../render/text.ts'
import type { Output } from './command.ts'
import { bar, cell, fittingTable, type RankedColumn, oneLine } from './table.ts'
import { style } from './terminal-text.ts'

/** Lines of events, where there is room for them. */
const MOST_EVENTS = 8
const LEAST_EVENTS = 3
/** Without a terminal, texts are wrapped here and tables are as wide as they are. */
const TEXT_COLUMNS = 100

type Stage = Live['stages'][number]
interface Edge {
  readonly from: string
  readonly to: string
  readonly rate: number
  readonly fill: number
  readonly dropped: number
}

/**
 * A pipeline just now, in lines: the sentence, its stages, its edges, its last events. On a terminal they fit: what tells
 * least gives way.
 * @param hint what keys do; the last line of a terminal
 */
export function liveLines(
  name: string,
  graph: GraphAnswer,
  live: Live,
  events: readonly LoggedEvent[],
  output: Output,
  hint = '',
): string[] {
  const { columns = Infinity, rows = Infinity } = output.terminal ?? {}
  const { sentence, remedy } = live.bottleneck
  const head = [
    headLine(oneLine(name), live, columns, output),
    '',
    ...wrapped(`${sentence}. ${remedy}`, output.terminal === undefined ? TEXT_COLUMNS : columns),
    '',
  ]
  const foot = hint === '' || output.terminal === undefined ? [] : [style('dim', hint, output)]
  let room = rows - head.length - foot.length
  const stages = stageLines(live, Math.max(1, room - 1), columns, output)
  room -= stages.length
  const eventRoom = events.length === 0 ? 0 : Math.min(LEAST_EVENTS, events.length) + 2
  const edges = edgeLines(edgesOf(graph, live), room - 2 - eventRoom, columns, output)
  room -= edges.length
  const shown = events.slice(-Math.max(0, Math.min(MOST_EVENTS, room - 2))).toReversed()
  const told = room < 3 || shown.length === 0 ? [] : ['', style('bold', 'EVENTS', output), ...shown.map(eventLine)]
  const lines = [...head, ...stages, ...edges, ...told].slice(0, rows - foot.length)
  const gap = Number.isFinite(rows) ? rows - lines.length - foot.length : 0
  return [...lines, ...(foot.length === 0 ? [] : Array<string>(gap).fill('')), ...foot]
}

/** Name, state, and as many figures as there is room for; the first of them give way. */
function headLine(name: string, live: Live, columns: number, output: Output): string {
  const { state, isPaused, elapsedMs, totals, deadLetters, drain } = live
  const shown = isPaused && state === 'running' ? 'paused' : state
  const figures = [
    durationText(elapsedMs),
    `${numberText(totals.acked)} acked`,
    rateText(totals.ackedPerSecond),
    drain === undefined
      ? `${numberText(totals.inFlight)} in flight`
      : `${numberText(drain.left)} of ${numberText(drain.atFirst)} left`,
    ...(deadLetters === 0 ? [] : [`${numberText(deadLetters)} dead letters`]),
  ]
  while (figures.length > 0 && [name, shown, ...figures].join('   ').length > columns) figures.shift()
  return [style('bold', name, output), style(colorOf(shown), shown, output), ...figures].join('   ')
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

function stageLines({ stages, bottleneck }: Live, room: number, width: number, output: Output): string[] {
  const shown = foremost(stages, room, ({ node, shares }) => (node === bottleneck.node ? 2 : shares.busy))
  const right = (title: string, rank: number, of: (stage: Stage) => string): RankedColumn<Stage> => ({
    title,
    align: 'right',
    rank,
    of,
  })
  const columns: RankedColumn<Stage>[] = [
    {
      title: titleOf('STAGE', shown, stages),
      rank: 0,
      of: ({ node }) => `${node === bottleneck.node ? '▸ ' : '  '}${cell(node)}`,
    },
    right('WORKERS', 5, workersText),
    right('IN', 0, (stage) => rateText(stage.inPerSecond)),
    right('OUT', 4, (stage) => rateText(stage.outPerSecond)),
    { title: 'BUSY', rank: 1, of: ({ shares }) => bar(shares.busy) },
    right('', 0, ({ shares }) => percentText(shares.busy)),
    right('BLOCKED', 0, ({ shares }) => percentText(shares.blocked)),
    right('LIMITED', 6, ({ shares }) => percentText(shares.limited)),
    right('P99', 0, ({ p99Ms }) => (p99Ms === 0 ? '–' : durationText(p99Ms))),
    right('IN FLIGHT', 3, ({ inFlight }) => numberText(inFlight)),
    right('FAILED', 0, ({ failed, deadLettered }) => numberText(failed + deadLettered)),
    right('RESTARTS', 2, ({ workers }) => String(workers.reduce((sum, { epoch }) => sum + epoch, 0))),
  ]
  return fittingTable(columns, shown, width, output)
}

/** How many it has; where they follow its load, of how many that it may have. */
function workersText({ workers, scale }: Stage): string {
  const taken = workers.filter(({ state }) => state !== 'vacant').length
  return scale === undefined ? String(taken) : `${taken} of ${scale.max}`
}

function edgesOf({ edges }: GraphAnswer, live: Live): Edge[] {
  return live.edges.map(({ recordsPerSecond: rate, queued, capacity, dropped }, i) => {
    const { from, to } = edges[i] ?? { from: '', to: '' }
    return { from, to, rate, fill: capacity === 0 ? 0 : Math.min(1, queued / capacity), dropped }
  })
}

function edgeLines(edges: readonly Edge[], room: number, width: number, output: Output): string[] {
  const shown = foremost(edges, room, ({ fill }) => fill)
  if (shown.length === 0) return []
  const columns: RankedColumn<Edge>[] = [
    { title: titleOf('EDGE', shown, edges), rank: 0, of: ({ from, to }) => `  ${cell(from)} → ${cell(to)}` },
    { title: 'RATE', align: 'right', rank: 0, of: ({ rate }) => rateText(rate) },
    { title: 'FILL', rank: 1, of: ({ fill }) => bar(fill) },
    { title: '', align: 'right', rank: 0, of: ({ fill }) => percentText(fill) },
    { title: 'DROPPED', align: 'right', rank: 2, of: ({ dropped }) => numberText(dropped) },
  ]
  return ['', ...fittingTable(columns, shown, width, output)]
}

/** Those that fit: all, or the ones with the largest figure, in their own order. */
function foremost<T>(items: readonly T[], room: number, figure: (item: T) => number): readonly T[] {
  if (items.length <= room) return items
  const first = new Set(items.toSorted((a, b) => figure(b) - figure(a)).slice(0, Math.max(0, room)))
  return items.filter((item) => first.has(item))
}

function titleOf(title: string, shown: readonly unknown[], all: readonly unknown[]): string {
  return shown.length === all.length ? title : `${title} (${shown.length} of ${all.length})`
}

function eventLine({ time, name, fields }: LoggedEvent): string {
  const { node, worker, error, cause } = fields as {
    node?: string
    worker?: number
    error?: ErrorView
    cause?: ErrorView
  }
  const place = node === undefined ? '' : ` ${cell(node)}${worker === undefined ? '' : ` #${worker}`}`
  const why = error ?? cause
  return `  ${new Date(time).toISOString().slice(11, 19)}  ${name}${place}${why === undefined ? '' : `  ${cell(why.message ?? why.name)}`}`
}
