/** Graphs whose handlers say something of what is traced, and whose edges show some of it. Workers import this module. */
import { dataflow } from 'millrace'

export interface Order {
  readonly id: number
  readonly customer: string
  readonly secret: string
}

export const ORDERS = 500

function* orders(): Generator<Order> {
  for (let id = 0; id < ORDERS; id++) yield { id, customer: `c${id % 7}`, secret: `hush-${id}` }
}

export const spoken = dataflow('spoken', import.meta.url)
  .source('orders', { produce: orders, chunk: 1 })
  .transform('price', {
    map: (order: Order, { attribute, trace }) => {
      attribute('customer', order.customer)
      attribute('order', order.id)
      attribute('order', order.id + 0.5)
      attribute('isFirst', order.id === 0)
      attribute('bad', { toString: () => 'x' } as never)
      attribute('n'.repeat(65), 1)
      attribute('text', 'x'.repeat(513))
      attribute('NaN', Number.NaN)
      return { ...order, traceparent: trace?.traceparent }
    },
  })
  .transform('later', {
    maxInFlight: 4,
    map: async (order: Order, { attribute, trace }) => {
      await Promise.resolve()
      attribute('when', 'later')
      return { ...order, laterparent: trace?.traceparent }
    },
  })
  .transform('pack', {
    batch: { size: 10, timeoutMs: 20 },
    mapBatch: (batch: Order[], { attribute, trace }) => {
      attribute('packed', batch.length)
      return batch.map((order) => ({ ...order, packparent: trace?.traceparent }))
    },
  })
  .sink('out')
  .connect('orders', 'price', {
    capture: 200,
    redact: (order: Order) => {
      if (order.id % 100 === 99) throw new Error(order.secret)
      return { id: order.id, customer: order.customer }
    },
  })
  .connect('price', 'later', { capture: 4_096 })
  .connect('later', 'pack', { capture: 100, redact: ({ id }: Order) => ({ id, long: 'l'.repeat(60) }) })
  .connect('pack', 'out')

/** Takes what is pushed, and gives back how its handler would go on. */
export const continued = dataflow('continued', import.meta.url)
  .source<'in', number>('in', { push: true })
  .transform('work', { map: (n: number, { trace }) => ({ n, trace: trace ?? null }) })
  .sink('out')
  .connect('in', 'work')
  .connect('work', 'out')
