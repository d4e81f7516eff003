import { close } from './closing.ts'
import { ALL, SAME, type CountsAsLimit, type Limit, type Met } from './limits.ts'
import { cutTraffic, outsideOf, type Model, type Origin } from './model.ts'
import { times } from './times.ts'
import type { Traffic } from './traffic.ts'

export type { Limit } from './limits.ts'

export interface Filling {
  /** Records per second that each origin sends. */
  readonly rates: readonly number[]
  /** What limits each origin, in the same order. */
  readonly limits: readonly Limit[]
  /** Records per second into each node. */
  readonly into: Float64Array
  /** Limits that were met besides the origins' own, in order. */
  readonly met: readonly Met[]
  /**
   * Of the limits that each origin met at the same moment, the one that lies highest, where that is a stage or the cores.
   * Without any other of them the origin sends as much.
   */
  readonly holders: readonly (Limit | undefined)[]
}

/**
 * Raises all origins together, each by its weight, until something is full; what feeds it stays as it is, the others go on
 * (max-min fairness: a reader takes its lanes in turn, so those who send less are served in full first). Nothing vanishes:
 * what does not fit is not sent. An origin that follows what comes to it is raised until it has caught up with that.
 * Cost: some solutions of the traffic equations for each origin or limit that is met.
 */
export function fill(model: Model, origins: readonly Origin[], counts: CountsAsLimit = ALL): Filling {
  const rates = origins.map(() => 0)
  const limits: (Limit | undefined)[] = origins.map(({ most, by }) => (most === 0 ? { by } : undefined))
  const into = new Float64Array(model.graph.nodes.length)
  const met: Met[] = []
  const holders: (Limit | undefined)[] = origins.map(() => undefined)
  let at = 0
  for (;;) {
    const isOpen = (index: number): boolean => limits[index] === undefined
    const { speeds, growth } = grow(model, origins, { rates, into, isOpen })
    const catchUps = origins.map(({ node }, index) => {
      const gains = (speeds[index] ?? 0) - growth[node]!
      return isBehind(origins, index, rates, into) && gains > 0 ? (into[node]! - (rates[index] ?? 0)) / gains : Infinity
    })
    const toFull = Math.min(stepToOwn(origins, rates, speeds), stepToFull(model, into, growth, counts))
    const step = catchUps.reduce((least, each) => Math.min(least, each), toFull)
    speeds.forEach((speed, index) => void (rates[index]! += times(speed, step)))
    growth.forEach((speed, node) => void (into[node]! += times(speed, step)))
    if (step === Infinity || speeds.every((speed) => speed === 0)) break
    at += step
    catchUps.forEach((each, index) => {
      if (each <= step) rates[index] = into[origins[index]!.node]!
    })
    const before = openCount(limits)
    closeOwn(origins, rates, limits)
    const now = limitsMet(model, into, growth, counts)
    met.push(...now.map((limit) => ({ ...limit, at })))
    close(model, origins, { limits, holders, now, counts })
    // Each turn closes an origin or lets one catch up; one that does neither is the last, so that rounding keeps nothing going.
    if (openCount(limits) === before && !catchUps.some((each) => each <= step)) break
  }
  return { rates, limits: limits.map((limit) => limit ?? { by: 'nothing' }), into, met, holders }
}

interface Filled {
  readonly rates: readonly number[]
  readonly into: Float64Array
  readonly isOpen: (origin: number) => boolean
}

/**
 * How fast the origins and the rates into nodes grow from here. One that follows and has caught up grows no faster than what
 * comes to it. All are tried at full speed; those that get less are tied to what they get, which slows others, until none
 * is too fast: speeds only fall on the way, so this ends.
 */
function grow(
  model: Model,
  origins: readonly Origin[],
  { rates, into, isOpen }: Filled,
): { readonly speeds: readonly number[]; readonly growth: Float64Array } {
  const tied = new Set<number>()
  for (;;) {
    const alone = origins.map(({ node, weight }, index) => (isOpen(index) && !tied.has(node) ? weight : 0))
    const equations = tied.size === 0 ? model.traffic : tiedTraffic(model, tied)
    const growth = equations.solve(outsideOf(model, origins, alone))
    const tooFast = origins.filter(({ node, follows }, index) => {
      return follows && !isBehind(origins, index, rates, into) && growth[node]! < alone[index]!
    })
    if (tooFast.length === 0) {
      return { speeds: origins.map(({ node }, index) => (tied.has(node) ? growth[node]! : alone[index]!)), growth }
    }
    for (const { node } of tooFast) tied.add(node)
  }
}

/** The equations where what is tied hands on what comes to it, as any other node. */
function tiedTraffic({ graph, shares, parting }: Model, tied: ReadonlySet<number>): Traffic {
  return cutTraffic(graph, shares, new Set([...parting].filter((node) => !tied.has(node))))
}

/** It follows, and more comes to it than it sends. */
function isBehind(origins: readonly Origin[], index: number, rates: readonly number[], into: Float64Array): boolean {
  const { node, follows } = origins[index]!
  return follows && (rates[index] ?? 0) < into[node]! * (1 - SAME)
}

function openCount(limits: readonly (Limit | undefined)[]): number {
  return limits.filter((limit) => limit === undefined).length
}

/** How long all may grow at their speeds until the first of them sends all that it has. */
function stepToOwn(origins: readonly Origin[], rates: readonly number[], speeds: readonly number[]): number {
  return origins.reduce((step, { most }, index) => {
    const speed = speeds[index] ?? 0
    return speed > 0 ? Math.min(step, (most - (rates[index] ?? 0)) / speed) : step
  }, Infinity)
}

/** How long rates may grow until the first stage, or the cores, are full. */
export function stepToFull(
  model: Model,
  into: Float64Array,
  growth: Float64Array,
  counts: CountsAsLimit = ALL,
): number {
  let step = Infinity
  growth.forEach((speed, node) => {
    const rate = model.services[node]?.rate ?? Infinity
    if (speed > 0 && rate < Infinity && counts(node)) step = Math.min(step, Math.max(0, rate - into[node]!) / speed)
  })
  if (model.cores === Infinity) return step
  const burnt = coreLoad(model, growth, counts)
  const free = Math.max(0, model.cores - coreLoad(model, into, counts))
  return burnt > 0 && free < Infinity ? Math.min(step, free / burnt) : step
}

/** What is full now of all that grew. A loop that grows fills its stages at any rate. */
export function limitsMet(
  model: Model,
  into: Float64Array,
  growth: Float64Array,
  counts: CountsAsLimit = ALL,
): readonly Limit[] {
  const met: Limit[] = []
  let burner = -1
  growth.forEach((speed, node) => {
    if (speed === 0 || !counts(node)) return
    const rate = model.services[node]?.rate ?? Infinity
    const isFull = into[node]! >= rate * (1 - SAME) || speed === Infinity
    // What has no rate is never full, not even of records without end.
    if (isFull && rate < Infinity) met.push({ by: 'stage', node })
    if (burner === -1 || coreLoadOf(model, into, node) > coreLoadOf(model, into, burner)) burner = node
  })
  if (model.cores === Infinity) return met
  const burnt = coreLoad(model, growth, counts)
  const coresFull = coreLoad(model, into, counts) >= model.cores * (1 - SAME) || burnt === Infinity
  if (burnt > 0 && model.cores < Infinity && coresFull) met.push({ by: 'cores', node: burner })
  return met
}

function closeOwn(origins: readonly Origin[], rates: number[], limits: (Limit | undefined)[]): void {
  origins.forEach(({ most, by }, index) => {
    if (limits[index] !== undefined || (rates[index] ?? 0) < most * (1 - SAME)) return
    rates[index] = most
    limits[index] = { by }
  })
}

function coreLoadOf(model: Model, into: Float64Array, node: number): number {
  return times(into[node] ?? 0, model.services[node]?.coreSeconds ?? 0)
}

/** Cores that are busy at these rates. */
export function coreLoad(model: Model, into: Float64Array, counts: CountsAsLimit = ALL): number {
  return into.reduce((load, _, node) => (counts(node) ? load + coreLoadOf(model, into, node) : load), 0)
}
