/** Buffers that drop, before a stage that stands until it may go on. */
import { type AckReason, type WhenFull, dataflow, mark } from 'millrace/graph'

export interface Gate {
  /** [0]: set to 1 to let the stage go on; [1]: it has a record in hand. */
  readonly gate: Int32Array
}

const held = (n: number, { gate }: Gate): number => {
  Atomics.store(gate, 1, 1)
  Atomics.notify(gate, 1)
  Atomics.wait(gate, 0, 0)
  return n
}

const pushed = (whenFull: WhenFull) =>
  dataflow<Gate>(whenFull, import.meta.url)
    .source<'in', number>('in', { push: true })
    .buffer('buffer', { capacity: 3, whenFull })
    .transform('work', { map: (n: number, { params }) => held(n, params) })
    .sink('out')
    .connect('in', 'buffer')
    .connect('buffer', 'work')
    .connect('work', 'out')

export const newest = pushed('dropNewest')
export const oldest = pushed('dropOldest')

/** What `ack` is told goes to the shared array: for each record 1 acked, 2 failed, 3 dropped, 4 abandoned. */
export interface Acked extends Gate {
  readonly told: Int32Array
}

const OUTCOMES: readonly AckReason['outcome'][] = ['failed', 'dropped', 'abandoned']

const acked = (whenFull: WhenFull) =>
  dataflow<Acked>(`acked-${whenFull}`, import.meta.url)
    .source('in', {
      produce: () => Array.from({ length: 20 }, (_, n) => mark(n, { receipt: n })),
      ack: (successes, failures, { params, reasons }) => {
        for (const n of successes as number[]) Atomics.store(params.told, n, 1)
        for (const [i, n] of (failures as number[]).entries())
          Atomics.store(params.told, n, 2 + OUTCOMES.indexOf(reasons[i]!.outcome))
      },
    })
    .buffer('buffer', { capacity: 3, whenFull })
    .sink('work', {
      setup: () => ({ calls: 0 }),
      write: (n: number, { params, state }) => {
        held(n, params)
        if (state.calls++ === 0) throw new Error('the first one')
      },
    })
    .connect('in', 'buffer')
    .connect('buffer', 'work')

export const ackedNewest = acked('dropNewest')
export const ackedOldest = acked('dropOldest')

/** Records whose keys are no keys. */
export const keys = dataflow('keys', import.meta.url)
  .source('in', { chunk: 1, produce: () => [1, NaN, 2] })
  .transform('partition', { concurrency: 2, partitionBy: (n: number) => n, map: (n: number) => n })
  .sink('batch', { batch: { size: 1, by: (n: number) => (n === 2 ? NaN : n) }, write: () => undefined })
  .connect('in', 'partition')
  .connect('partition', 'batch')

/** Handlers that look at their context, and send to a branch that is not there. */
export const contexts = dataflow('contexts', import.meta.url)
  .source('in', { produce: () => [1] })
  .transform('look', { map: async (_: number, context) => (await import('node:util')).inspect(context) })
  .transform('emit', {
    map: (text: string, { emit }) => {
      emit('nowhere', text)
      return text
    },
  })
  .sink('out')
  .sink('left')
  .sink('failed')
  .connect('in', 'look')
  .connect('look', 'out')
  .connect('look', 'emit')
  .connect('emit', 'left', { when: 'left' })
  .connect('emit', 'failed', { pathType: 'error' })
