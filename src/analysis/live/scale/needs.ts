import { resolveNode } from '../../../graph/resolve.ts'
import type { GraphData } from '../../../graph/types.ts'
import { serviceOf } from '../../flow/service.ts'
import { simulate, type Simulation } from '../../flow/simulate.ts'
import { changeGraph } from '../../flow/what-if.ts'
import type { Measurements } from '../../types.ts'
import { coresOfBusy } from './cores-of-busy.ts'
import type { ScaleLook, ScaleRule } from './look.ts'
import { trueGraph } from './true-graph.ts'

/** How many workers a stage has, and how many it needs. */
export interface WorkerNeed {
  readonly node: string
  readonly workers: number
  /** The fewest that are busy for no more than the rule says, within its bounds and the cores. */
  readonly wanted: number
  /** What its workers would have to do, by what they can do: above 1 they cannot keep up. */
  readonly load: number
  /** Records per second that would come to it if it and the other scaled stages had all the workers they may have. */
  readonly demand: number
  /** Records per second that its workers can take. */
  readonly capacity: number
  /** What keeps it from wanting more. */
  readonly limit: 'none' | 'max' | 'cores'
  /** It waits for credit for longer than it works: more of its workers would wait as well. */
  readonly isBlocked: boolean
  /** What its workers do now, as a share of their time. */
  readonly busy: number
}

/** The needs of all scaled stages, and what other numbers of workers would bring. */
export interface Needs {
  /** Stages of which nothing can be said are left out: a call takes longer than was measured. */
  readonly stages: readonly WorkerNeed[]
  /** A source waits for credit. */
  readonly isHeld: boolean
  /** Records per second that all sources have made. */
  readonly perSecond: number
  /** What they would make with other numbers of workers, by node. */
  readonly predict: (workers: Readonly<Record<string, number>>) => number
}

/** A source that waits for longer than this is held up. */
const HELD = 0.05
/** Where the process uses so much of its cores, stages that wait get no more either. */
const ALL_CORES = 0.95
/** A part of a worker that is not worth one. */
const ROUNDING = 1e-6

/**
 * What each scaled stage needs: the rates of the sources go down the traffic equations, as far as the stages that are not scaled,
 * rate limits and the cores let them; by what a record costs its worker, that makes workers. Two simulations, and one for each
 * prediction. @throws LOOP_TOO_LARGE
 */
export function workerNeeds(graph: GraphData, look: ScaleLook, rules: readonly ScaleRule[]): Needs {
  const { measurements, waiting, cores } = look
  const truth = trueGraph(graph, look)
  const options = { cores: coresOfBusy(look) }
  const sized = (workers: Readonly<Record<string, number>>): Simulation => {
    const nodes = Object.fromEntries(Object.entries(workers).map(([node, concurrency]) => [node, { concurrency }]))
    return simulate(changeGraph(truth, { nodes }), options)
  }
  const roomy = sized(Object.fromEntries(rules.map(({ node, max }) => [node, max])))
  const isUsedUp = cores.used >= ALL_CORES * cores.available
  const stages = rules.flatMap((rule): WorkerNeed[] => {
    const found = Object.hasOwn(measurements.nodes, rule.node) ? measurements.nodes[rule.node]! : undefined
    if (found === undefined || (found.in === 0 && found.busy > 0)) return []
    const { workers, busy, blocked } = found
    const flow = roomy.nodes.find(({ id }) => id === rule.node)!
    const { rateLimit: _, ...free } = truth.nodes.find(({ id }) => id === rule.node)!
    const each = serviceOf(resolveNode(free)).rate / workers
    const isByCores = waiting.has(rule.node) ? isUsedUp : flow.limits.some(({ by }) => by === 'cores')
    const whole = flow.in / each / (isByCores ? 1 : rule.busy)
    const asked = Math.min(isByCores && waiting.has(rule.node) ? workers : Infinity, Math.ceil(whole - ROUNDING))
    return [
      {
        node: rule.node,
        workers,
        wanted: Math.max(rule.min, Math.min(rule.max, asked)),
        load: flow.in / each / workers,
        demand: flow.in,
        capacity: each * workers,
        limit: isByCores ? 'cores' : asked > rule.max ? 'max' : 'none',
        isBlocked: blocked > busy,
        busy,
      },
    ]
  })
  const perSecond = madeIn(graph, measurements)
  let now: number | undefined
  return {
    stages,
    isHeld: sourcesOf(graph, measurements).some(({ blocked }) => blocked > HELD),
    perSecond,
    predict: (workers) => {
      now ??= simulate(truth, options).throughput
      return now === 0 ? perSecond : (perSecond * sized(workers).throughput) / now
    },
  }
}

function sourcesOf({ nodes }: GraphData, measurements: Measurements): readonly Measurements['nodes'][string][] {
  const sources = nodes.filter(({ id, kind }) => kind === 'source' && Object.hasOwn(measurements.nodes, id))
  return sources.map(({ id }) => measurements.nodes[id]!)
}

function madeIn(graph: GraphData, measurements: Measurements): number {
  const made = sourcesOf(graph, measurements).reduce((sum, { in: records }) => sum + records, 0)
  return measurements.seconds === 0 ? 0 : made / measurements.seconds
}
