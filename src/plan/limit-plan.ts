/** The rate limit of a stage, which all of its workers share. */
export interface LimitPlan {
  /** Where its words lie (`memory/control.ts`). */
  readonly offset: number
  /** Records per second; 0: none, unless one is set while the pipeline runs. With `keys`: of each key. */
  readonly perSecond: number
  /** Records that may go at once after a pause; 0: ten milliseconds of the rate. */
  readonly burst: number
  /** Records that all workers may take at once, whatever the limit says: batches, which are not parted. */
  readonly atOnce: number
  /** The limit is that of each key (`rateLimit.by`), and a worker remembers so many; absent where it is that of the stage. */
  readonly keys?: number
}
