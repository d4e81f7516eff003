import type { Prediction } from './predict.ts'
import { times } from './times.ts'

/** Rates into and out of each node, by number, in records per second. */
export type Rates = Pick<Prediction, 'into' | 'leaving'>

/** Records that came to each node, and that left it, in so many seconds. */
export interface Totals extends Rates {
  readonly seconds: number
}

export function noneOf(nodes: number): Totals {
  return { seconds: 0, into: new Float64Array(nodes), leaving: new Float64Array(nodes) }
}

/** What there is after some more seconds, up to `until`, at these rates. */
export function atRates(before: Totals, rates: Rates, until: number): Totals {
  const longer = until - before.seconds
  return {
    seconds: until,
    into: before.into.map((records, node) => records + times(rates.into[node]!, longer)),
    leaving: before.leaving.map((records, node) => records + times(rates.leaving[node]!, longer)),
  }
}

/** The mean rates between two moments. */
export function meanBetween(from: Totals, to: Totals): Rates {
  const seconds = to.seconds - from.seconds
  const mean = (now: Float64Array, before: Float64Array): Float64Array =>
    now.map((records, node) => {
      if (records === Infinity) return Infinity
      return records === before[node] ? 0 : (records - before[node]!) / seconds
    })
  return { into: mean(to.into, from.into), leaving: mean(to.leaving, from.leaving) }
}
