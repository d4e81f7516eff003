/** Why an origin sends no more than it does. `node` is the stage that is full; with `cores`, the stage that burns most. */
export interface Limit {
  readonly by: 'rate' | 'rateLimit' | 'window' | 'stage' | 'cores' | 'nothing'
  readonly node?: number
}

/** A limit, and how far all origins were raised by then. */
export interface Met extends Limit {
  readonly at: number
}

/** Tells which stages count as limits; a filling may look at a part of the graph only. */
export type CountsAsLimit = (node: number) => boolean
export const ALL: CountsAsLimit = () => true

/** Two rates are the same when they differ by less than this part. */
export const SAME = 1e-9
