import { dataflow } from 'millrace/graph'
import { rabbitmqSink, rabbitmqSource } from 'millrace/rabbitmq'

interface Upload {
  readonly path: string
  readonly bytes: number
}

interface Server {
  readonly url: string
  readonly uploads: string
  readonly thumbnails: string
}

/** Uploads of one queue become orders for thumbnails in another; large ones are left out. */
export function makeOrders({ url, uploads, thumbnails }: Server) {
  return dataflow<Server>('thumbnails', import.meta.url)
    .source('uploads', rabbitmqSource<Upload>({ url, queue: uploads, window: 256 }))
    .transform('small', { filter: ({ bytes }: Upload) => bytes < 50_000_000 })
    .transform('order', { map: ({ path }: Upload) => ({ path, sizes: [128, 512] }) })
    .sink('orders', rabbitmqSink({ url, queue: thumbnails }))
    .connect('uploads', 'small')
    .connect('small', 'order')
    .connect('order', 'orders')
}
