import { dataflow } from 'millrace/graph'
import { natsSink, natsSource } from 'millrace/nats'

interface Order {
  readonly id: string
  readonly items: readonly { readonly price: number; readonly count: number }[]
}

interface Servers {
  readonly servers: string
}

/** Orders of one stream become invoices in another. */
export function makeInvoices({ servers }: Servers) {
  return dataflow<Servers>('invoices', import.meta.url)
    .source('orders', natsSource<Order>({ servers, stream: 'orders', consumer: 'billing' }))
    .transform('price', {
      concurrency: 2,
      map: ({ id, items }: Order) => ({ id, total: items.reduce((sum, { price, count }) => sum + price * count, 0) }),
    })
    .sink('invoices', natsSink({ servers, subject: 'invoices.new' }))
    .connect('orders', 'price')
    .connect('price', 'invoices')
}
