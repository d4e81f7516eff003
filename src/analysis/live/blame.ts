import type { GraphData } from '../../graph/types.ts'
import type { Measurements, NodeMeasurement } from '../types.ts'
import { lastOf } from '../flow/last.ts'
import { simulate } from '../flow/simulate.ts'
import { changeGraph } from '../flow/what-if.ts'
import { type Measured, measuredGraph, measuredOf } from './measured.ts'
import { chainThrough, HARDLY, type Wait, waitsOf } from './waits.ts'

export type { Wait } from './waits.ts'

/** What the time of one stage's workers goes into, and what they are mostly doing. */
export interface StageState {
  readonly node: string
  readonly busy: number
  readonly starved: number
  readonly blocked: number
  readonly limited: number
  readonly mostly: 'busy' | 'starved' | 'blocked' | 'limited'
  /** It has no time left: see `blame`. */
  readonly isFull: boolean
}

/** The cases of `blame`, in its order but for `outside`, which is in two of them. */
export const CAUSES = ['full', 'slow', 'outside', 'loop', 'limited', 'acks', 'none'] as const
/** Why the root is the root: which case of `blame`. */
export type Cause = (typeof CAUSES)[number]

/** Who works, who waits, and for whom. */
export interface Blame {
  /** The stage that limits what comes out; where the cause is `none`, only the busiest one. Undefined where no stage was measured. */
  readonly root: string | undefined
  readonly cause: Cause
  /** Each step from the topmost stage that waits down to the root. Empty where nobody waits for the root. */
  readonly chain: readonly Wait[]
  readonly stages: readonly StageState[]
  /** Every wait for credit, the longest first. */
  readonly waits: readonly Wait[]
}

/** A stage that is busy for so much of its time has no more to give. */
const FULL = 0.9

interface Found {
  readonly stages: readonly StageState[]
  readonly waits: readonly Wait[]
}
type Root = Pick<Blame, 'root' | 'cause' | 'chain'>

/**
 * Finds the root, the stage that limits what comes out. Shares are of the workers' time; below 5 % they are noise. A stage is
 * *full* where it is busy for 90 % and hardly starves, or where others wait for it and it starves, is blocked and is limited
 * for 10 % at most (moving records takes the rest). The root is the first of these that there is:
 *
 * 1. `full`: of several full stages the one that would let the measured graph send most, if it took half the time. Where that
 *    is said of none, the last one on its way: while a buffer still fills, the stages before and behind it may both be full, and
 *    what comes out is limited by the one behind. Of several side by side (or in a loop) the one that is waited for longest,
 *    then the busiest, then the first of the graph. A rate limit never goes before a full stage.
 * 2. Where the longest wait leads, of a stage that waits for credit more than it starves or is limited: down the longest waits
 *    to the first stage that is not mostly blocked (`slow`: some of its workers are full, or it works in gusts; `limited`: its
 *    rate limit holds it for most of its time); that is blocked, but waits for no stage (`outside`: for the reader of its output, or its next attempt); or that was passed
 *    before (`loop`: stages that wait for each other; of them the one that would let most through, as above).
 * 3. `outside`: a stage of that kind for which nobody waits yet.
 * 4. `limited`: the stage that its rate limit holds longest, where that takes most of its time.
 * 5. `acks`: the source that is blocked longest, where that takes most of its time: the lanes below it are empty, so its
 *    window is full.
 * 6. `none`: no stage is short of time, whether all starve or the sources are slow. The root is the busiest.
 *
 * Equals go in the order of the graph. Cost: linear in nodes, edges and waits times the length of the chain; where several
 * stages are full, or a loop is, a prediction for each of them.
 */
export function blame(graph: GraphData, measurements: Measurements): Blame {
  const measured = measuredOf(graph, measurements)
  const waits = waitsOf(measured)
  const waitedFor = new Set(waits.filter(isForAnother).map(({ waitsFor }) => waitsFor))
  const stages = graph.nodes.flatMap(({ id }, node) => {
    const counts = measured.node(node)
    return counts === undefined ? [] : [stateOf(id, counts, waitedFor.has(id))]
  })
  const kinds = new Map(graph.nodes.map(({ id, kind }) => [id, kind]))
  const found = { stages, waits }
  const sources = stages.filter(({ node }) => kinds.get(node) === 'source')
  const others = stages.filter(({ node }) => kinds.get(node) !== 'source')
  const gain = gainIn(graph, measurements)
  const root = lastFull(measured, found, gain) ??
    endOfWaits(found, gain) ??
    alone(
      'outside',
      mostOf(others, 'blocked', ({ node }) => !waits.some((wait) => wait.node === node)),
    ) ??
    alone('limited', mostOf(stages, 'limited')) ??
    alone('acks', mostOf(sources, 'blocked')) ??
    alone('none', busiest(stages)) ?? { root: undefined, cause: 'none', chain: [] }
  return { ...root, stages, waits }
}

function stateOf(node: string, counts: NodeMeasurement, isWaitedFor: boolean): StageState {
  const { busy, starved, blocked, limited } = counts
  const shares = { busy, starved, blocked, limited }
  const order = ['busy', 'blocked', 'limited', 'starved'] as const
  const mostly = order.reduce((most, name) => (shares[name] > shares[most] ? name : most))
  const hasNoTime = isWaitedFor && starved + blocked + limited <= 1 - FULL
  return { node, ...shares, mostly, isFull: hasNoTime || (busy >= FULL && starved < HARDLY) }
}

/** By what factor the measured graph would send more, if a stage took half the time. Of one stage alone it is not asked. */
type Gain = (node: string) => number

/** Less than this is no gain. */
const WORTH = 1.001

function gainIn(graph: GraphData, measurements: Measurements): Gain {
  const now = measuredGraph(graph, measurements)
  const known = new Map<string, number>()
  const before = lazily(() => simulate(now).throughput)
  return (node) => {
    const { latencyMs = 0, serviceRate } = now.nodes.find(({ id }) => id === node)!
    const faster = serviceRate === undefined ? { latencyMs: latencyMs / 2 } : { serviceRate: serviceRate * 2 }
    const after = known.get(node) ?? simulate(changeGraph(now, { nodes: { [node]: faster } })).throughput
    known.set(node, after)
    const factor = after === before() ? 1 : after / before()
    return factor < WORTH ? 1 : factor
  }
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}

function lastFull({ graph }: Measured, { stages, waits }: Found, gain: Gain): Root | undefined {
  const full = stages.filter(({ isFull }) => isFull)
  const last = new Set(
    lastOf(
      graph,
      full.map(({ node }) => graph.number(node)),
    ).map((node) => graph.id(node)),
  )
  const longest = new Map<string, Wait>()
  for (const wait of waits) {
    if (isForAnother(wait) && !longest.has(wait.waitsFor)) longest.set(wait.waitsFor, wait)
  }
  const waited = ({ node }: StageState): number => longest.get(node)?.share ?? 0
  const [only, ...others] = full
  const [root] =
    others.length === 0
      ? [only]
      : full.sort(
          (a, b) =>
            gain(b.node) - gain(a.node) ||
            Number(last.has(b.node)) - Number(last.has(a.node)) ||
            waited(b) - waited(a) ||
            b.busy - a.busy,
        )
  if (root === undefined) return undefined
  const wait = longest.get(root.node)
  const chain = wait === undefined ? [] : chainThrough(wait, waits.filter(isForAnother), (node) => node === root.node)
  return { root: root.node, cause: 'full', chain }
}

function endOfWaits({ stages, waits }: Found, gain: Gain): Root | undefined {
  const states = new Map(stages.map((stage) => [stage.node, stage]))
  const start = waits.find(({ node }) => {
    const state = states.get(node)
    return state !== undefined && state.blocked > Math.max(state.starved, state.limited)
  })
  if (start === undefined) return undefined
  const isBlocked = (node: string): boolean => states.get(node)?.mostly === 'blocked'
  const chain = chainThrough(start, waits, (node) => !isBlocked(node))
  const root = chain.at(-1)!.waitsFor
  if (!isBlocked(root)) return { root, cause: states.get(root)?.mostly === 'limited' ? 'limited' : 'slow', chain }
  const onRing = ringOf(chain)
  const [best] = [...onRing].sort((a, b) => gain(b) - gain(a))
  if (best !== undefined && gain(best) > 1) return { root: best, cause: 'loop', chain }
  return { root, cause: waits.some(({ node }) => node === root) ? 'loop' : 'outside', chain }
}

/** Of the stages that are mostly this, the one that is it longest. */
function mostOf(
  stages: readonly StageState[],
  mostly: 'blocked' | 'limited',
  isMeant: (stage: StageState) => boolean = () => true,
): StageState | undefined {
  const [most] = stages
    .filter((stage) => stage.mostly === mostly && isMeant(stage))
    .sort((a, b) => b[mostly] - a[mostly])
  return most
}

function busiest(stages: readonly StageState[]): StageState | undefined {
  return [...stages].sort((a, b) => b.busy + b.limited - (a.busy + a.limited))[0]
}

/** Of a chain that comes back to a stage that it passed: the stages from there on. */
function ringOf(chain: readonly Wait[]): readonly string[] {
  const start = chain.findIndex(({ node }) => node === chain.at(-1)!.waitsFor)
  return start === -1 ? [] : chain.slice(start).map(({ node }) => node)
}

function alone(cause: Cause, stage: StageState | undefined): Root | undefined {
  return stage && { root: stage.node, cause, chain: [] }
}

/** A retry edge may lead a stage to wait for itself. */
function isForAnother({ node, waitsFor }: Wait): boolean {
  return node !== waitsFor
}
