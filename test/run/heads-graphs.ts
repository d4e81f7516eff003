/** Graphs whose records have meta, and expire. */
import { type Context, type Failure, type GraphData, dataflow } from 'millrace'

export interface Item {
  readonly n: number
  readonly kills?: boolean
  readonly fails?: boolean
  /** What each stage found. */
  readonly seen?: readonly unknown[]
}

function see(item: Item, meta: unknown): Item {
  return { ...item, seen: [...(item.seen ?? []), meta ?? 'none'] }
}

function name(item: Item, { attempt, meta }: Context): Item {
  if (item.kills === true && attempt === 1) process.exit(1)
  if (item.fails === true) throw new Error('no')
  return see(item, meta)
}

export interface Dead {
  readonly n: number
  readonly code: string | undefined
  readonly inFailure: unknown
  readonly inContext: unknown
}

/** Two stages of single records, one of them fused; one of batches; failures by themselves. */
export const seeing: GraphData = dataflow('seeing', import.meta.url)
  .source('in', { push: true, metaBytes: 64, chunk: 8 })
  .transform('name', { map: name })
  .transform('fused', { map: (item: Item, { meta }) => see(item, meta) })
  .transform('each', {
    batch: { size: 3, timeoutMs: 1 },
    mapEach: (items: readonly Item[], { batch }) => items.map((item, i) => see(item, batch!.metaAt(i))),
  })
  .transform('bury', {
    map: ({ input, error, meta: inFailure }: Failure<Item>, { meta: inContext }): Dead => ({
      n: input.n,
      code: error.code,
      inFailure,
      inContext,
    }),
  })
  .sink('out')
  .sink('dead')
  .connect('in', 'name')
  .connect('name', 'fused', { fuse: true })
  .connect('fused', 'each')
  .connect('each', 'out')
  .connect('name', 'bury', { pathType: 'dead_letter', dataType: 'Failure' })
  .connect('each', 'bury', { pathType: 'dead_letter', dataType: 'Failure' })
  .connect('bury', 'dead')

/** A batch of all four, whose handler says what it got, fails the first of them, and answers each. */
export const batching: GraphData = dataflow('batching', import.meta.url)
  .source('in', { push: true, metaBytes: 0 })
  .transform('each', {
    batch: { size: 4, timeoutMs: 60_000 },
    mapEach: async (items: readonly number[], { batch, failAt }) => {
      failAt(0, new RangeError(`the first of ${batch!.size}`))
      return items.map((n) => `${n} of ${items.join()}`)
    },
  })
  .sink('out')
  .sink('dead')
  .connect('in', 'each')
  .connect('each', 'out')
  .connect('each', 'dead', { pathType: 'dead_letter', dataType: 'Failure' })

/** Nothing may have a head here. */
export const headless: GraphData = dataflow('headless', import.meta.url)
  .source('in', { push: true })
  .sink('out')
  .sink('dead')
  .connect('in', 'out')
  .connect('in', 'dead', { pathType: 'dead_letter', dataType: 'Failure' })
