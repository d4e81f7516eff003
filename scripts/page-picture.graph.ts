/** The pipeline on the picture of the page: two sources, one slow stage, some bad records. Workers import this module. */
import { setTimeout as sleep } from 'node:timers/promises'
import { dataflow } from 'millrace'

interface Order {
  readonly id: number
  readonly price?: number
}

/** Orders for ever, of which one in a few hundred has no price. */
function* orders(first: number, { signal }: { readonly signal: AbortSignal }): Generator<string> {
  for (let id = first; !signal.aborted; id += 2) yield JSON.stringify(id % 755 === 0 ? { id } : { id, price: id % 90 })
}

export const orderGraph = dataflow('orders', import.meta.url)
  .cluster('intake', { label: 'Intake' })
  .cluster('fulfilment', { label: 'Fulfilment' })
  .cluster('express', { label: 'Express', parent: 'fulfilment' })
  .source('web_orders', { cluster: 'intake', rateLimit: 700, produce: (context) => orders(1, context) })
  .source('shop_orders', { cluster: 'intake', rateLimit: 120, produce: (context) => orders(2, context) })
  .transform('parse', {
    cluster: 'intake',
    map: (line: string) => {
      const order = JSON.parse(line) as Order
      if (order.price === undefined) throw new SyntaxError(`order ${order.id} has no price`)
      return order
    },
  })
  .conditional('is_express', { cluster: 'fulfilment', route: ({ id }) => (id % 6 === 0 ? 'express' : 'other') })
  .buffer('backlog', { cluster: 'fulfilment', capacity: 400 })
  .transform('enrich', {
    cluster: 'fulfilment',
    concurrency: 2,
    maxInFlight: 2,
    retry: { maxAttempts: 3 },
    restart: { maxRestarts: 10 },
    map: async (order: Order) => {
      await sleep(8)
      if (order.id % 401 === 0) throw new RangeError(`no such customer in order ${order.id}`)
      return order
    },
  })
  .sink('ship', { cluster: 'express', write: () => sleep(1) })
  .sink('warehouse', { write: () => undefined })
  .sink('quarantine', { write: () => undefined })
  .connect('web_orders', 'parse')
  .connect('shop_orders', 'parse')
  .connect('parse', 'is_express')
  .connect('is_express', 'backlog', { when: 'other' })
  .connect('is_express', 'ship', { when: 'express' })
  .connect('backlog', 'enrich')
  .connect('enrich', 'warehouse')
  .connect('enrich', 'quarantine', { pathType: 'dead_letter' })
