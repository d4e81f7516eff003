/**
 * The microservices of the walkthrough as three processes: two buffers lie in NATS, and the graph falls into parts there. Each part is
 * named like its cluster.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { dataflow } from 'millrace/graph'
import { nats } from 'millrace/nats'

interface Order {
  readonly id: string
  readonly user: string
  readonly units: number
}

const servers = process.env['NATS_URL'] ?? 'nats://127.0.0.1:4222'
const orders = Number(process.env['ORDERS'] ?? 1_000)

/** Orders of one app, by a number that is the same in every run. */
function* from(app: string, start: number): Generator<Order> {
  for (let i = start; i < orders; i++) yield { id: `${app}-${i}`, user: `user-${i % 97}`, units: i % 5 }
}

const stock = new Map<string, number>()

export default dataflow('microservices', import.meta.url)
  .cluster('ingestion', { label: 'Ingestion', fillcolor: '#f0fdf4' })
  .cluster('order_service', { label: 'Order Service', fillcolor: '#eff6ff' })
  .cluster('notifications', { label: 'Notifications', fillcolor: '#fdf2f8' })
  .source('mobile_app', { cluster: 'ingestion', rate: 1_200, produce: () => from('mobile', 0) })
  .source('web_app', { cluster: 'ingestion', rate: 800, produce: () => from('web', 0) })
  .merge('api_gateway', { cluster: 'ingestion' })
  .transform('auth', {
    cluster: 'ingestion',
    latencyMs: 15,
    maxInFlight: 64,
    map: async (order: Order) => (await sleep(1), { ...order, user: order.user.toUpperCase() }),
  })
  .buffer('orders', { capacity: 20_000, via: nats({ servers, stream: 'orders' }) })
  .transform('order_handler', {
    cluster: 'order_service',
    latencyMs: 80,
    maxInFlight: 256,
    map: (order: Order) => order,
  })
  .transform('inventory_check', {
    cluster: 'order_service',
    latencyMs: 60,
    maxInFlight: 256,
    map: async (order: Order) => (await sleep(1), { ...order, inStock: order.units > 0 }),
  })
  .conditional('in_stock', {
    cluster: 'order_service',
    route: ({ inStock }: Order & { inStock: boolean }) => (inStock ? 'yes' : 'no'),
  })
  .transform('payment', {
    cluster: 'order_service',
    latencyMs: 250,
    maxInFlight: 1_024,
    map: async (order: Order & { inStock: boolean }) => (await sleep(2), order),
  })
  .sink('order_db', {
    cluster: 'order_service',
    maxInFlight: 64,
    write: ({ id, units }: Order) => void stock.set(id, units),
  })
  .buffer('confirmed', { capacity: 20_000, via: nats({ servers, stream: 'confirmed' }) })
  .transform('email_worker', {
    cluster: 'notifications',
    latencyMs: 120,
    maxInFlight: 256,
    map: (order: Order) => ({ to: order.user, text: `Order ${order.id} is confirmed.` }),
  })
  .transform('push_worker', {
    cluster: 'notifications',
    latencyMs: 40,
    maxInFlight: 128,
    map: (order: Order) => ({ to: order.user, badge: order.units }),
  })
  .sink('sendgrid', { cluster: 'notifications' })
  .sink('firebase', { cluster: 'notifications' })
  .connect('mobile_app', 'api_gateway')
  .connect('web_app', 'api_gateway')
  .connect('api_gateway', 'auth', { label: 'request' })
  .connect('auth', 'orders', { label: 'authed request' })
  .connect('orders', 'order_handler')
  .connect('order_handler', 'inventory_check')
  .connect('inventory_check', 'in_stock')
  .connect('in_stock', 'payment', { when: 'yes', ratio: 0.8 })
  .connect('in_stock', 'order_db', { when: 'no', ratio: 0.2 })
  .connect('payment', 'order_db')
  .connect('order_db', 'confirmed', { label: 'order confirmed' })
  .connect('confirmed', 'email_worker')
  .connect('confirmed', 'push_worker')
  .connect('email_worker', 'sendgrid')
  .connect('push_worker', 'firebase')
