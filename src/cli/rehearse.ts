import { setTimeout as sleep } from 'node:timers/promises'
import { forecast } from '../analysis/flow/forecast.ts'
import { overheadOf } from '../analysis/live/overhead.ts'
import { compare, relativeError, type Rehearsal } from '../analysis/live/rehearsal.ts'
import { validate } from '../analysis/validate.ts'
import { availableCores } from '../cores.ts'
import type { GraphData } from '../graph/types.ts'
import { percentText, rateText } from '../render/text.ts'
import type { Pipeline } from '../supervisor/pipeline.ts'
import { rehearse as start } from '../supervisor/run.ts'
import { measurements } from '../telemetry/measurements.ts'
import type { Snapshot } from '../telemetry/snapshot.ts'
import { type Command, positiveOf, type Output } from './command.ts'
import { GRAPH_OPTIONS, loadGraph } from './load-graph.ts'
import { exitCode, problemLines } from './report.ts'
import { bar, cell, table, oneLine } from './table.ts'
import { style } from './terminal-text.ts'

const DEFAULT_SECONDS = 10
const PROGRESS_EVERY_S = 5
/** What is on its way at the end is synthetic: it is not waited for any longer. */
const DRAIN_MS = 1_000
/** What a shell says of a command that Ctrl-C ended. */
const INTERRUPTED = 130

export const rehearseCommand: Command = {
  summary: 'Runs a graph with synthetic work and shows prediction beside measurement.',
  usage: 'GRAPH [--seconds S] [--json]',
  options: {
    ...GRAPH_OPTIONS,
    seconds: {
      type: 'string',
      value: 'S',
      text: `How long it runs; the second half is measured. Default: ${DEFAULT_SECONDS}.`,
    },
  },
  async run(call) {
    const graph = await loadGraph(call)
    const seconds = positiveOf(call.values, 'seconds') ?? DEFAULT_SECONDS
    const problems = validate(graph)
    const code = exitCode(problems, call.values)
    const asJson = call.values['json'] === true
    if (problems.some(({ severity }) => severity === 'error')) {
      if (asJson) call.output.print(JSON.stringify({ graph: graph.name, problems }, undefined, 2))
      else call.output.warn(problemLines(problems, call.output).join('\n').trimEnd())
      return code
    }
    const interrupted = new AbortController()
    const interrupt = (): void => interrupted.abort()
    process.once('SIGINT', interrupt)
    try {
      const rehearsal = await play(graph, seconds, interrupted.signal, call.output)
      if (rehearsal === undefined) call.output.warn('Interrupted before anything could be measured.')
      else call.output.print(asJson ? JSON.stringify(rehearsal, undefined, 2) : textOf(graph, rehearsal, call.output))
      return interrupted.signal.aborted ? INTERRUPTED : code
    } finally {
      process.off('SIGINT', interrupt)
    }
  },
}

/** Runs the graph, and compares. Interrupted, it measures what there was so far. */
async function play(
  graph: GraphData,
  seconds: number,
  interrupted: AbortSignal,
  output: Output,
): Promise<Rehearsal | undefined> {
  const pipeline = await start(graph, { deadlineMs: DRAIN_MS })
  try {
    const workers = pipeline.plan.workers.length
    output.warn(`Rehearsing ${oneLine(graph.name)} with ${workers} workers for ${seconds} s; Ctrl-C ends it earlier.`)
    const first = pipeline.snapshot()
    const ended = pipeline.finished.then(() => pipeline.snapshot())
    const half = await Promise.race([after(pipeline, first, seconds / 2, interrupted, output), ended])
    // Ctrl-C in the first half: everything since the start is measured.
    if (interrupted.aborted) return comparison(graph, pipeline, { from: first, to: half })
    const last = await Promise.race([after(pipeline, first, seconds, interrupted, output), ended])
    return comparison(graph, pipeline, { start: first, from: half, to: last })
  } finally {
    // What stopped the pipeline was thrown above.
    await pipeline.drain().catch(() => undefined)
  }
}

/** The snapshot at that time, or when interrupted. */
async function after(
  pipeline: Pipeline,
  { elapsedMs }: Snapshot,
  seconds: number,
  interrupted: AbortSignal,
  output: Output,
): Promise<Snapshot> {
  for (;;) {
    const snapshot = pipeline.snapshot()
    const leftS = seconds - (snapshot.elapsedMs - elapsedMs) / 1000
    if (leftS <= 0 || interrupted.aborted) return snapshot
    const waitS = Math.min(leftS, PROGRESS_EVERY_S)
    await sleep(1000 * waitS, undefined, { signal: interrupted }).catch(() => undefined)
    if (waitS === PROGRESS_EVERY_S && !interrupted.aborted) output.warn(progressText(pipeline.snapshot()))
  }
}

function progressText({ elapsedMs, stages }: Snapshot): string {
  const made = Object.values(stages).filter(({ kind }) => kind === 'source')
  const records = made.reduce((sum, { done }) => sum + done, 0)
  return `${Math.round(elapsedMs / 1000)} s: ${records.toLocaleString('en')} source records have ended`
}

/** The first half tells what the runtime takes for each record, and the prediction for the second reckons with it. */
function comparison(
  graph: GraphData,
  { plan }: Pipeline,
  { start, from, to }: { readonly start?: Snapshot; readonly from: Snapshot; readonly to: Snapshot },
): Rehearsal | undefined {
  if (to.elapsedMs <= from.elapsedMs) return undefined
  const overheadMs = start === undefined ? 0 : overheadOf(graph, measurements(plan, from, start))
  const predicted = forecast(graph, {
    seconds: to.elapsedMs / 1000,
    fromSeconds: from.elapsedMs / 1000,
    cores: availableCores(),
    overheadMs,
  })
  return compare(graph, predicted, measurements(plan, to, from))
}

function textOf(graph: GraphData, { nodes, largestError, bottleneck }: Rehearsal, output: Output): string {
  const right = 'right' as const
  const columns = [
    { title: 'NODE' },
    { title: 'KIND' },
    { title: 'IN', align: right },
    { title: 'PREDICTED', align: right },
    { title: 'OFF', align: right },
    { title: 'OUT', align: right },
    { title: 'PREDICTED', align: right },
    { title: 'LOAD' },
    { title: 'PREDICTED', align: right },
  ]
  const rows = graph.nodes.map(({ id, kind }) => {
    const { predicted, measured } = nodes[id]!
    const { utilisation } = measured
    return [
      cell(id),
      kind,
      rateText(measured.in),
      rateText(predicted.in),
      percentText(relativeError(predicted.in, measured.in)),
      rateText(measured.out),
      rateText(predicted.out),
      `${bar(utilisation)} ${percentText(utilisation)}`,
      percentText(predicted.utilisation),
    ]
  })
  const { predicted, measured } = bottleneck
  return [
    ...table(columns, rows, output),
    '',
    `Largest error: ${percentText(largestError)} of the predicted rate`,
    `Bottleneck: ${style('bold', named(measured), output)}${predicted === measured ? ', as predicted' : `, predicted: ${named(predicted)}`}`,
  ].join('\n')
}

function named(id: string | null): string {
  return id === null ? 'none' : cell(id)
}
