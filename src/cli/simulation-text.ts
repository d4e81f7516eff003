import type { Bottleneck, MaxRate } from '../analysis/flow/capacity.ts'
import type { Forecast } from '../analysis/flow/forecast.ts'
import type { Latency } from '../analysis/flow/latency.ts'
import type { NamedLimit } from '../analysis/flow/predict.ts'
import type { RetryLoop } from '../analysis/flow/retries.ts'
import type { NodeFlow, NodeLimit, Simulation } from '../analysis/flow/simulate.ts'
import type { Sizing } from '../analysis/flow/sizing.ts'
import type { WhatIf } from '../analysis/flow/what-if.ts'
import type { Explanation } from '../analysis/live/explain.ts'
import type { Problem } from '../analysis/types.ts'
import { durationText, numberText, percentText, rateText } from '../render/text.ts'
import type { Output } from './command.ts'
import { bar, cell, table, type Column } from './table.ts'
import { style } from './terminal-text.ts'

/** All that `millrace simulate` says. */
export interface Predictions {
  readonly graph: string
  readonly problems: readonly Problem[]
  readonly simulation: Simulation
  readonly bottlenecks: readonly Bottleneck[]
  readonly maxRate: MaxRate
  readonly latency: Latency
  readonly retryLoops: readonly RetryLoop[]
  readonly sizing: readonly Sizing[]
  readonly forecast?: Forecast
  readonly explanation?: Explanation
  readonly whatIf?: WhatIf
}

export function simulationText(found: Predictions, output: Output): string {
  const sections = [
    headline(found, output),
    nodeTable(found.simulation, output),
    bufferTable(found.simulation, output),
    partTable(found.simulation, output),
    sourceTable(found, output),
    latencyTable(found.latency, output),
    retryTable(found.retryLoops, output),
    forecastTable(found.forecast, output),
    whatIfTable(found.whatIf, output),
    found.simulation.assumptions.map((text) => style('dim', `Assumed: ${text}`, output)),
  ]
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

function headline({ graph, simulation, explanation }: Predictions, output: Output): string[] {
  const { throughput, sources, bottleneck, cores, growing } = simulation
  const limit =
    bottleneck === undefined
      ? 'nothing limits it'
      : bottleneck.saturated
        ? `limited by ${limitText(bottleneck)}`
        : `nothing is full; ${cell(bottleneck.node ?? '')} is the closest`
  const count = `${sources.length} ${sources.length === 1 ? 'source' : 'sources'}`
  return [
    `${style('bold', graph, output)}: ${rateText(throughput)} from ${count}, ${limit}`,
    ...(cores.used > 0 ? [`${numberText(cores.used)} of ${numberText(cores.available)} cores busy`] : []),
    ...growing.map(
      (nodes) =>
        `The loop of ${nodes.map(cell).join(', ')} sends back everything that it takes: no rate can be sustained.`,
    ),
    ...(explanation === undefined ? [] : [`Measured: ${explanation.sentence}. ${explanation.remedy}`]),
  ]
}

const RIGHT = 'right'

function nodeTable({ nodes }: Simulation, output: Output): string[] {
  const columns: Column[] = [
    { title: 'NODE' },
    { title: 'KIND' },
    { title: 'IN', align: RIGHT },
    { title: 'OUT', align: RIGHT },
    { title: 'OFFERED', align: RIGHT },
    { title: 'SERVES', align: RIGHT },
    { title: 'LOAD' },
    { title: 'LIMITED BY' },
  ]
  const rows = nodes.map((node) => [
    cell(node.id),
    node.kind,
    rateText(node.in),
    rateText(node.out),
    rateText(node.offered),
    node.serviceRate === Infinity ? '' : rateText(node.serviceRate),
    loadText(node),
    node.limits.map(nodeLimitText).join('; '),
  ])
  return table(columns, rows, output)
}

/** What each part has to do where it runs by itself. */
function partTable({ parts }: Simulation, output: Output): string[] {
  if (parts.length === 0) return []
  const columns: Column[] = [
    { title: 'PART' },
    { title: 'MADE', align: RIGHT },
    { title: 'IN', align: RIGHT },
    { title: 'OUT', align: RIGHT },
    { title: 'WORKERS', align: RIGHT },
    { title: 'CORES', align: RIGHT },
    { title: 'BUSIEST' },
  ]
  const rows = parts.map(({ id, made, in: into, out, workers, cores, busiest }) => [
    cell(id),
    rateText(made),
    rateText(into),
    rateText(out),
    numberText(workers),
    numberText(cores),
    busiest === undefined ? '' : `${cell(busiest.node)} ${percentText(busiest.utilisation)}`,
  ])
  return table(columns, rows, output)
}

function loadText({ serviceRate, utilisation }: NodeFlow): string {
  return serviceRate === Infinity ? '' : `${bar(utilisation)} ${percentText(utilisation)}`
}

function nodeLimitText(limit: NodeLimit): string {
  if (limit.where === 'here') return 'itself'
  if (limit.by === 'stage' || limit.by === 'cores') return `${limitText(limit)} ${limit.where} it`
  return limitText(limit)
}

export function limitText({ by, node = '' }: NamedLimit): string {
  switch (by) {
    case 'stage':
      return cell(node)
    case 'cores':
      return `the cores (most by ${cell(node)})`
    case 'rate':
      return 'what its sources offer'
    case 'rateLimit':
      return node === '' ? 'a rate limit' : `the rate limit of ${cell(node)}`
    case 'window':
      return node === '' ? 'a window' : `the window of ${cell(node)}`
    default:
      return 'nothing'
  }
}

function bufferTable({ buffers }: Simulation, output: Output): string[] {
  const columns: Column[] = [
    { title: 'BUFFER' },
    ...['HOLDS', 'IN', 'OFFERED', 'DRAINS AT', 'HEADROOM', 'FULL AFTER', 'EMPTY AFTER', 'DROPS'].map(
      (title) => ({ title, align: RIGHT }) as const,
    ),
  ]
  const rows = buffers.map((buffer) => [
    cell(buffer.node),
    numberText(buffer.capacity),
    rateText(buffer.in),
    rateText(buffer.offered),
    rateText(buffer.drainRate),
    buffer.headroom === undefined ? '-' : rateText(buffer.headroom),
    buffer.timeToFullS === Infinity ? 'never' : durationText(buffer.timeToFullS * 1_000),
    buffer.timeToDrainS === Infinity ? 'never' : durationText(buffer.timeToDrainS * 1_000),
    buffer.dropped === 0 ? '' : rateText(buffer.dropped),
  ])
  return table(columns, rows, output)
}

function sourceTable({ simulation, maxRate }: Predictions, output: Output): string[] {
  const columns: Column[] = [
    { title: 'SOURCE' },
    ...['OFFERS', 'SENDS', 'COULD SEND'].map((title) => ({ title, align: RIGHT }) as const),
    { title: 'THEN FULL' },
  ]
  const rows = simulation.sources.map(({ id, offered, rate }, index) => [
    cell(id),
    rateText(offered),
    rateText(rate),
    rateText(maxRate.sources[index]?.max ?? Infinity),
    (maxRate.sources[index]?.cut ?? []).map(limitText).join(', '),
  ])
  const { factor, throughput, cut } = maxRate.together
  const together =
    rows.length > 1 && Number.isFinite(factor)
      ? [`All together could send ${rateText(throughput)}; then ${cut.map(limitText).join(', ')} would be full.`]
      : []
  return [...table(columns, rows, output), ...together]
}

function latencyTable({ sinks, critical }: Latency, output: Output): string[] {
  const columns: Column[] = [
    { title: 'SINK' },
    ...['FASTEST', 'SLOWEST', 'WITH RETRIES', 'WAITING', 'MEAN'].map((title) => ({ title, align: RIGHT }) as const),
    { title: 'SLOWEST PATH' },
  ]
  const rows = sinks.map((sink) => [
    cell(sink.sink) + (sink === critical && sinks.length > 1 ? ' (critical)' : ''),
    durationText(sink.minMs),
    durationText(sink.maxMs),
    durationText(sink.criticalMs),
    durationText(sink.queueMs),
    sink.meanMs === undefined ? '-' : durationText(sink.meanMs),
    sink.path.map(cell).join(' → '),
  ])
  return table(columns, rows, output)
}

function retryTable(loops: readonly RetryLoop[], output: Output): string[] {
  const columns: Column[] = [
    { title: 'RETRY LOOP' },
    ...['ENTERING', 'GAIN', 'LOAD', 'STORM AT'].map((title) => ({ title, align: RIGHT }) as const),
    { title: 'THEN FULL' },
  ]
  const rows = loops.map(({ nodes, entering, gain, load, stormGain, stormNode = '' }) => [
    nodes.map(cell).join(', '),
    rateText(entering),
    percentText(gain),
    `× ${numberText(load)}`,
    percentText(stormGain),
    cell(stormNode),
  ])
  return table(columns, rows, output)
}

function forecastTable(found: Forecast | undefined, output: Output): string[] {
  if (found === undefined) return []
  const columns: Column[] = [
    { title: 'FROM THE START' },
    ...['IN', 'OUT', 'LOAD', 'HOLDS AT THE END'].map((title) => ({ title, align: RIGHT }) as const),
  ]
  const rows = found.nodes.map(({ id, in: into, out, utilisation, held }) => [
    cell(id),
    rateText(into),
    rateText(out),
    utilisation === 0 ? '' : percentText(utilisation),
    held === undefined ? '' : numberText(Math.round(held)),
  ])
  const settled =
    found.settledS === Infinity ? 'Not settled yet' : `Settled after ${durationText(found.settledS * 1_000)}`
  const bottleneck = found.bottleneck === undefined ? '' : `; at the end ${cell(found.bottleneck)} limits the output`
  return [...table(columns, rows, output), `${settled}${bottleneck}.`]
}

function whatIfTable(found: WhatIf | undefined, output: Output): string[] {
  if (found === undefined) return []
  const { throughput, nodes, after, bottleneckMoves } = found
  const columns: Column[] = [
    { title: 'WHAT IF' },
    ...['IN BEFORE', 'AFTER', 'LOAD BEFORE', 'AFTER'].map((title) => ({ title, align: RIGHT }) as const),
  ]
  const rows = nodes.map(({ id, in: into, utilisation }) => [
    cell(id),
    rateText(into.before),
    rateText(into.after),
    utilisation.before + utilisation.after === 0 ? '' : percentText(utilisation.before),
    utilisation.before + utilisation.after === 0 ? '' : percentText(utilisation.after),
  ])
  const moved =
    bottleneckMoves && after.bottleneck !== undefined ? `; then ${limitText(after.bottleneck)} is the bottleneck` : ''
  const result = `What if: ${rateText(throughput.before)} becomes ${rateText(throughput.after)} (× ${numberText(throughput.factor)})${moved}.`
  return [...table(columns, rows, output), result]
}
