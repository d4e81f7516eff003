/** Fewest and most workers, the share of their time for which they are to be busy, and how often that is decided on. */
export interface ScalePlan {
  readonly min: number
  readonly max: number
  readonly busy: number
  readonly everyMs: number
}
