/** What a sheet says of a graph with some options changed: the analysis' own figures, measured where nothing was changed. */
import { simulate, type NodeFlow, type Simulation } from '../analysis/flow/simulate.ts'
import { changeGraph, type Changes } from '../analysis/flow/what-if.ts'
import { blame } from '../analysis/live/blame.ts'
import { explain } from '../analysis/live/explain.ts'
import { measuredGraph } from '../analysis/live/measured.ts'
import type { Measurements } from '../analysis/types.ts'
import type { GraphData } from '../graph/types.ts'
import { shownBottleneck } from '../render/bottleneck.ts'
import { durationText, numberText, percentText } from '../render/text.ts'
import type { Paint, SheetData } from './data.ts'

/** One figure of a node: from 0 (nothing) to 1 (full, or the most of all nodes), and in words. */
interface SheetFigure {
  readonly share: number
  readonly text: string
}

export interface SheetFigures {
  readonly simulation: Simulation
  /** Records per second, as measured or else predicted, by node and by number of the edge. */
  readonly rates: ReadonlyMap<string, number>
  readonly edgeRates: readonly number[]
  readonly paints: Readonly<Record<Paint, ReadonlyMap<string, SheetFigure>>>
  readonly bottleneck: string | undefined
  readonly sentence: string
  /** Nodes that are held up by the bottleneck: back-pressure reaches them. */
  readonly held: ReadonlySet<string>
  readonly isMeasured: boolean
}

/** @param changes to the graph; measurements count as long as there are none */
export function sheetFigures(data: SheetData, graph: GraphData, changes: Changes): SheetFigures {
  const isMeasured = data.measurements !== undefined && graph === data.graph && !isChange(changes)
  const measured = isMeasured ? data.measurements : undefined
  const cores = changes.cores ?? data.cores
  const simulation = simulate(changedGraph(data, graph, changes), { cores })
  const pointed = pointedAt(graph, simulation, measured)
  return {
    simulation,
    ...ratesOf(graph, simulation, measured),
    paints: {
      load: loads(simulation, measured),
      errors: errors(measured),
      p99: times(graph, changes, measured),
      memory: memory(data.memory),
    },
    ...pointed,
    held: heldBy(graph, simulation, pointed.bottleneck, measured),
    isMeasured,
  }
}

export function isChange({ nodes = {}, cores }: Changes): boolean {
  return cores !== undefined || Object.keys(nodes).length > 0
}

/** The graph of which predictions are made: what was measured takes the place of what is declared. */
function changedGraph({ measurements, graph: own }: SheetData, graph: GraphData, changes: Changes): GraphData {
  const base = measurements === undefined || graph !== own ? graph : measuredGraph(graph, measurements)
  return changeGraph(base, changes)
}

function pointedAt(graph: GraphData, simulation: Simulation, measurements: Measurements | undefined) {
  if (measurements !== undefined) {
    const { bottleneck, sentence, remedy } = explain(graph, measurements)
    return { bottleneck, sentence: `${sentence}. ${remedy}` }
  }
  const found = shownBottleneck(graph, { simulation })
  return { bottleneck: found?.node, sentence: found === undefined ? 'Nothing is full.' : `${found.sentence}.` }
}

function ratesOf(graph: GraphData, { nodes, edges }: Simulation, measurements: Measurements | undefined) {
  const predicted = new Map(nodes.map((node) => [node.id, node.in]))
  const seconds = measurements?.seconds ?? 1
  const measured = Object.entries(measurements?.nodes ?? {}).map(([id, node]) => [id, node.in / seconds] as const)
  const edgeRates = graph.edges.map((_, index) => edges.find((edge) => edge.index === index)?.rate ?? 0)
  for (const { index, records } of measurements?.edges ?? []) edgeRates[index] = records / seconds
  return { rates: new Map([...predicted, ...measured]), edgeRates }
}

function loads({ nodes, buffers }: Simulation, measurements: Measurements | undefined): Map<string, SheetFigure> {
  if (measurements !== undefined) {
    const busy = Object.entries(measurements.nodes).map(
      ([id, { busy }]) => [id, { share: busy, text: `${percentText(busy)} busy` }] as const,
    )
    return new Map(busy)
  }
  const full = new Set(buffers.flatMap(({ node, timeToFullS }) => (timeToFullS < Infinity ? [node] : [])))
  return new Map(nodes.flatMap((node) => loadOf(node, full)))
}

function loadOf({ id, kind, utilisation, serviceRate }: NodeFlow, full: ReadonlySet<string>): [string, SheetFigure][] {
  if (kind === 'buffer') return [[id, { share: full.has(id) ? 1 : 0, text: full.has(id) ? 'fills up' : 'stays empty' }]]
  return serviceRate === Infinity ? [] : [[id, { share: utilisation, text: `${percentText(utilisation)} busy` }]]
}

function errors(measurements: Measurements | undefined): Map<string, SheetFigure> {
  const found = Object.entries(measurements?.nodes ?? {}).map(([id, { in: taken, failed, deadLettered }]) => {
    const share = taken === 0 ? 0 : (failed + deadLettered) / taken
    return [id, { share, text: `${numberText(failed + deadLettered)} failed, ${percentText(share)}` }] as const
  })
  // One record of a hundred is as bad as a colour gets.
  return new Map(found.map(([id, { share, text }]) => [id, { share: Math.min(1, share * 100), text }]))
}

/** The 99th percentile of a call as measured, or what is declared, beside the slowest. */
function times(
  graph: GraphData,
  { nodes = {} }: Changes,
  measurements: Measurements | undefined,
): Map<string, SheetFigure> {
  const found = graph.nodes.flatMap(({ id, latencyMs }): [string, number, string][] => {
    const measured = measurements?.nodes[id]?.p99Ms
    if (measured !== undefined) return measured > 0 ? [[id, measured, 'p99 ']] : []
    const declared = nodes[id]?.latencyMs ?? latencyMs
    return declared === undefined ? [] : [[id, declared, 'declared ']]
  })
  const most = Math.max(...found.map(([, ms]) => ms), 0)
  return new Map(
    found.map(([id, ms, what]) => [id, { share: most === 0 ? 0 : ms / most, text: what + durationText(ms) }]),
  )
}

function memory(bytes: Readonly<Record<string, number>>): Map<string, SheetFigure> {
  const most = Math.max(...Object.values(bytes), 0)
  return new Map(
    Object.entries(bytes).map(([id, own]) => [
      id,
      { share: own / most, text: `${numberText(Math.round(own / 1024))} KiB of lanes` },
    ]),
  )
}

function heldBy(
  graph: GraphData,
  { nodes }: Simulation,
  bottleneck: string | undefined,
  measurements: Measurements | undefined,
): Set<string> {
  if (bottleneck === undefined) return new Set()
  if (measurements !== undefined) {
    const { stages, root } = blame(graph, measurements)
    return new Set(stages.flatMap(({ node, mostly }) => (mostly === 'blocked' && node !== root ? [node] : [])))
  }
  const isHeld = ({ limits }: NodeFlow): boolean =>
    limits.some(({ where, node }) => where === 'below' && node === bottleneck)
  return new Set(nodes.filter(isHeld).map(({ id }) => id))
}
