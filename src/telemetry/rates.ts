import { EDGE_FIGURES, type Figure, NODE_FIGURES, namesOf } from '../figures.ts'

type Counted<T> = { [K in keyof T]: T[K] extends { readonly kind: 'counter' } ? K : never }[keyof T] & string
/** Name of the rate of a counter: `inPerSecond` is the rate of `in`. */
type RateName<Counter extends string> = `${Counter}PerSecond`

/** Names of counters with the names of their rates. */
type RateNames<Counter extends string> = readonly (readonly [counter: Counter, rate: RateName<Counter>])[]

export const NODE_RATES = rateNames(NODE_FIGURES)
export const EDGE_RATES = rateNames(EDGE_FIGURES)

/** Counts per second over a window, by node and by edge. */
export type NodeRates = Readonly<Record<RateName<Counted<typeof NODE_FIGURES>>, number>>
export type EdgeRates = Readonly<Record<RateName<Counted<typeof EDGE_FIGURES>>, number>>

type NodeCounters = Readonly<Record<Counted<typeof NODE_FIGURES>, number>>
type EdgeCounters = Readonly<Record<Counted<typeof EDGE_FIGURES>, number>>

/** @param before undefined: since the start */
export function nodeRates(now: NodeCounters, before: NodeCounters | undefined, seconds: number): NodeRates {
  return withRates({}, NODE_RATES, now, before, seconds)
}

/** @param before undefined: since the start */
export function edgeRates(now: EdgeCounters, before: EdgeCounters | undefined, seconds: number): EdgeRates {
  return withRates({}, EDGE_RATES, now, before, seconds)
}

/** Adds rates to an object, one by one, for the reason that `counts.ts` gives. */
export function withRates<T extends object, Counter extends string>(
  given: T,
  names: RateNames<Counter>,
  now: Readonly<Record<Counter, number>>,
  before: Readonly<Record<Counter, number>> | undefined,
  seconds: number,
): T & Readonly<Record<RateName<Counter>, number>> {
  const filled = given as T & Record<RateName<Counter>, number>
  for (const [counter, name] of names)
    (filled as Record<string, number>)[name] = perSecond(now[counter] - (before?.[counter] ?? 0), seconds)
  return filled
}

/** Counters that are read while they grow may seem to step back: a rate is never below 0. */
export function perSecond(count: number, seconds: number): number {
  return seconds <= 0 ? 0 : Math.max(0, count) / seconds
}

function rateNames<T extends Readonly<Record<string, Figure>>>(table: T): RateNames<Counted<T>> {
  const counters = namesOf(table).filter((name) => table[name]!.kind === 'counter') as unknown as Counted<T>[]
  return counters.map((name) => [name, `${name}PerSecond`] as const)
}
