import { resolveNode } from '../../graph/resolve.ts'
import type { GraphData, GraphNode } from '../../graph/types.ts'
import { maxRate } from '../flow/capacity.ts'
import type { FlowOptions } from '../flow/model.ts'
import { simulate, type Simulation } from '../flow/simulate.ts'
import { changeGraph, type Overlay } from '../flow/what-if.ts'
import { quote } from '../problems.ts'
import type { Measurements } from '../types.ts'
import { blame, type Blame, type Cause, type StageState } from './blame.ts'
import { measuredGraph } from './measured.ts'
import { HARDLY } from './waits.ts'

/** Why a pipeline is as fast as it is, in words. */
export interface Explanation {
  /** The stage that limits the pipeline, as `blame` finds it; `undefined` where none does. */
  readonly bottleneck: string | undefined
  readonly cause: Cause
  readonly sentence: string
  /** Who waits for it, each step in order, and what else is full: as sentences. */
  readonly because: readonly string[]
  /** What would help, and how much. */
  readonly remedy: string
  /** Where that is more workers of the bottleneck: how many. */
  readonly workers?: number
}

/** Gains below this factor are not worth a worker. */
const WORTH = 1.01
/** More workers than this are not proposed. */
const MOST_WORKERS = 256
/** So many other full stages are named. */
const MOST_OTHERS = 3

/** Names the stage that limits a running pipeline, who waits for it, and what would help. Some predictions. */
export function explain(graph: GraphData, measurements: Measurements, options: FlowOptions = {}): Explanation {
  const found = blame(graph, measurements)
  const { cause } = found
  const root = found.stages.find(({ node }) => node === found.root)
  if (root === undefined) {
    return {
      bottleneck: undefined,
      cause,
      sentence: 'There are no measurements.',
      because: [],
      remedy: 'Run the pipeline for a while.',
    }
  }
  const now = measuredGraph(graph, measurements)
  if (cause === 'none') return idle(graph, measurements, now, options)
  const waits = found.chain.length > 0 ? steps(found, root) : acksAwaited(graph, found)
  const because = [...waits, ...alsoFull(found, root)]
  return {
    bottleneck: root.node,
    cause,
    sentence: [verdict(cause, root), ...because].join('; '),
    because,
    ...remedyFor(cause, now, root, options),
  }
}

function verdict(cause: Cause, { node, busy, blocked, limited }: StageState): string {
  const name = quote(node)
  switch (cause) {
    case 'slow':
      return `${name} slows other stages down, although it is busy only ${percent(busy)} of the time`
    case 'outside':
      return `${name} is blocked ${percent(blocked)} of the time, but no other stage holds it up`
    case 'loop':
      return `${name} waits for itself in the end: a loop is full`
    case 'limited':
      return `${name} is limited by its rate limit ${percent(limited)} of the time`
    case 'acks':
      return `${name} has a full window, and no stage is short of time`
    default:
      return `${name} is busy ${percent(busy)} of the time`
  }
}

/** The chain that leads to the root. */
function steps({ chain }: Blame, root: StageState): string[] {
  return chain.map(({ node, waitsFor, share }) => {
    const whom = waitsFor === node ? 'itself' : waitsFor === root.node ? 'it' : quote(waitsFor)
    return `${quote(node)} waits for ${whom} ${percent(share)} of the time`
  })
}

/** Without a chain: sources that are blocked, but wait for no stage. */
function acksAwaited(graph: GraphData, { stages, waits }: Blame): string[] {
  const sources = new Set(graph.nodes.filter(({ kind }) => kind === 'source').map(({ id }) => id))
  return stages
    .filter(({ node, blocked }) => sources.has(node) && blocked > HARDLY && !waits.some((wait) => wait.node === node))
    .map(({ node, blocked }) => `${quote(node)} waits for acks ${percent(blocked)} of the time`)
}

/** What would limit next, or limits elsewhere: full as well, the busiest first. */
function alsoFull({ stages }: Blame, root: StageState): string[] {
  const others = stages.filter(({ node, isFull }) => isFull && node !== root.node).sort((a, b) => b.busy - a.busy)
  const named = others
    .slice(0, MOST_OTHERS)
    .map(({ node, busy }) => `${quote(node)} is full as well (busy ${percent(busy)})`)
  const more = others.length - named.length
  return more > 0 ? [...named, `so are ${more} more`] : named
}

/** Nobody waits for credit and no stage is full: the sources make no more. */
function idle(graph: GraphData, measurements: Measurements, now: GraphData, options: FlowOptions): Explanation {
  const sources = graph.nodes.filter(({ kind }) => kind === 'source').map(({ id }) => id)
  const counts = new Map(Object.entries(measurements.nodes))
  const made = sources.reduce((sum, id) => sum + (counts.get(id)?.in ?? 0), 0) / measurements.seconds
  const most = maxRate(now, options).together.throughput
  const room = Number.isFinite(most) ? `; the stages could take ${rate(most)}` : ''
  return {
    bottleneck: undefined,
    cause: 'none',
    sentence: `No stage is short of time: the sources make ${rate(made)}${room}`,
    because: [],
    remedy: 'No stage needs to be faster: the sources make no more.',
  }
}

type Remedy = Pick<Explanation, 'remedy' | 'workers'>

function remedyFor(cause: Cause, graph: GraphData, root: StageState, options: FlowOptions): Remedy {
  return cause === 'full' || cause === 'none' ? moreWorkers(graph, root, options) : { remedy: advice(cause, root) }
}

function advice(cause: Exclude<Cause, 'full' | 'none'>, root: StageState): string {
  const name = quote(root.node)
  switch (cause) {
    case 'slow':
      return `Look at the workers of ${name}: one may be full while others starve. More room on the edges into it evens out bursts.`
    case 'outside':
      return `Read the output of ${name} faster. If it retries, failed records wait for their next attempt.`
    case 'loop':
      return 'Give the loop more room (`capacity`, `maxDemand`), or let fewer records in at once (`window` of the sources).'
    case 'limited':
      return `Raise \`rateLimit\` of ${name}.`
    default:
      return `Raise \`window\` of ${name}, or shorten the time that its records are in flight: slow calls, batches that wait.`
  }
}

/** The fewest workers with which something else limits the pipeline, and the rate that gives. */
function moreWorkers(graph: GraphData, { node }: StageState, options: FlowOptions): Remedy {
  const name = quote(node)
  const { concurrency: workers } = resolveNode(graph.nodes.find(({ id }) => id === node)!)
  const limit = (changes: Overlay<GraphNode>): { into: number; next: Simulation['bottleneck'] } => {
    const { nodes, bottleneck } = simulate(changeGraph(graph, { nodes: { [node]: changes } }), options)
    return { into: nodes.find(({ id }) => id === node)?.in ?? 0, next: bottleneck }
  }
  const now = limit({})
  if (now.into === 0) return { remedy: `No records come to ${name}.` }
  const wanted = limit({ latencyMs: 0 }).into
  const needed = Number.isFinite(wanted) ? Math.ceil((wanted / now.into) * workers * (1 - 1e-9)) : workers + 1
  const proposed = Math.min(MOST_WORKERS, Math.max(workers + 1, needed))
  const then = limit({ concurrency: proposed })
  if (then.into <= now.into * WORTH) {
    const cores = then.next?.by === 'cores' ? ', because all cores are busy' : ''
    return { remedy: `More workers do not help${cores}: make the handler of ${name} faster.` }
  }
  const next = then.next?.node === undefined || then.next.node === node ? '' : `; then ${quote(then.next.node)} limits`
  const remedy = `${proposed} workers would lift the limit from ${rate(now.into)} to ${rate(then.into)}${next}.`
  return { remedy, workers: proposed }
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

function rate(value: number): string {
  return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(3))} records/s`
}
