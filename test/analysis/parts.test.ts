import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataflow, type GraphData, graphToJson } from 'millrace'
import { alone, divide, graphFromJson, graphParts, simulate, validate } from 'millrace/analysis'
import { nats } from 'millrace/nats'
import { redis } from 'millrace/redis'
import { plan } from 'millrace/plan'
import { toDot, toMermaid } from 'millrace/render'

const NONE = (): undefined => undefined

/** Three parts; the second has a cluster for itself, the others have none. */
const shop = dataflow('shop', 'file:///shop.js')
  .cluster('service')
  .cluster('inner', { parent: 'service' })
  .source('web', { rate: 100, produce: () => [] })
  .buffer('orders', { via: nats({ stream: 'orders' }), capacity: 500 })
  .transform('check', { cluster: 'inner', latencyMs: 20, map: (order: object) => order })
  .sink('db', { cluster: 'service', write: NONE })
  .buffer('mails', { via: redis({ stream: 'mails' }) })
  .sink('mailer', { latencyMs: 5, write: NONE })
  .sink('junk', { write: NONE })
  .connect('web', 'orders')
  .connect('orders', 'check')
  .connect('orders', 'junk', { pathType: 'dead_letter' })
  .connect('check', 'db')
  .connect('db', 'mails')
  .connect('mails', 'mailer')

/** The same where what is no order goes nowhere: then the cluster holds just one part. */
const tidy: GraphData = {
  name: shop.name,
  module: shop.module,
  clusters: shop.clusters,
  nodes: shop.nodes.filter(({ id }) => id !== 'junk'),
  edges: shop.edges.filter(({ to }) => to !== 'junk'),
}

test('a part hangs together without crossing a queue; a cluster that is just one part gives it its name', () => {
  assert.deepEqual(graphParts(tidy), [
    { name: 'web', nodes: ['web'], reads: [], writes: ['orders'] },
    { name: 'service', nodes: ['check', 'db'], reads: ['orders'], writes: ['mails'] },
    { name: 'mailer', nodes: ['mailer'], reads: ['mails'], writes: [] },
  ])
  assert.deepEqual(
    graphParts({ ...tidy, nodes: tidy.nodes.map(({ id, kind }) => ({ id, kind })) }).map(({ name }) => name),
    ['shop'],
  )
})

test('an address is plain data: the graph has no problems, and comes out of JSON as it went in', () => {
  assert.deepEqual(validate(tidy), [])
  const read = graphFromJson(JSON.stringify(graphToJson(tidy)))
  assert.deepEqual(graphParts(read), graphParts(tidy))
  assert.deepEqual(read.nodes[1], {
    id: 'orders',
    kind: 'buffer',
    capacity: 500,
    via: { technology: 'nats', stream: 'orders' },
  })
})

test('in the place of a queue there is a sink above it and a source below it', () => {
  const whole = divide(shop)
  assert.deepEqual(
    whole.nodes.map(({ id, kind }) => `${kind} ${id}`),
    [
      'source web',
      'sink orders.write',
      'source orders.read',
      'transform check',
      'sink db',
      'sink mails.write',
      'source mails.read',
      'sink mailer',
      'sink junk',
    ],
  )
  assert.deepEqual(divide(whole), whole)
  const service = divide(tidy, 'service')
  assert.deepEqual(
    service.nodes.map(({ id }) => id),
    ['orders.read', 'check', 'db', 'mails.write'],
  )
  assert.deepEqual(
    service.edges.map(({ from, to }) => `${from} > ${to}`),
    ['orders.read > check', 'check > db', 'db > mails.write'],
  )
  assert.deepEqual(
    plan(tidy, { part: 'service' }).stages.map(({ node, work }) => `${node} ${work}`),
    ['orders.read poll', 'check map', 'db write', 'mails.write write'],
  )
})

function version(graph: GraphData): string {
  return divide(graph).nodes.find(({ hop }) => hop !== undefined)!.hop!.version
}

test('versions of a graph differ by its nodes and edges, and not by how many workers there are', () => {
  const wider = { ...tidy, nodes: tidy.nodes.map((node) => (node.id === 'check' ? { ...node, concurrency: 4 } : node)) }
  assert.equal(version(wider), version(tidy))
  assert.notEqual(version(shop), version(tidy))
})

test('predictions say what each part has to do, and one part can be looked at alone', () => {
  const { parts, nodes } = simulate(tidy)
  assert.deepEqual(
    parts.map(({ id, made, in: into, out }) => [id, made, Math.round(into), Math.round(out)]),
    [
      ['web', 50, 0, 50],
      ['service', 0, 50, 50],
      ['mailer', 0, 50, 0],
    ],
  )
  assert.equal(nodes.find(({ id }) => id === 'check')!.utilisation, 1)
  const service = alone(tidy, 'service')
  assert.deepEqual(
    service.nodes.map(({ id, kind, rate }) => [id, kind, rate]),
    [
      ['orders.read', 'source', 50],
      ['check', 'transform', undefined],
      ['db', 'sink', undefined],
      ['mails.write', 'sink', undefined],
    ],
  )
})

/** A short window before work that takes long. */
function slow(via: boolean): GraphData {
  return dataflow('slow')
    .source('in', { rate: 1_000, window: 10 })
    .buffer('queue', via ? { via: nats({ stream: 'q' }) } : {})
    .transform('work', { latencyMs: 1_000, maxInFlight: 4_096 })
    .sink('out', {})
    .connect('in', 'queue')
    .connect('queue', 'work')
    .connect('work', 'out')
}

test('the window of a source ends at the queue: what comes after it does not hold the source back', () => {
  assert.equal(Math.round(simulate(slow(false)).throughput), 10)
  assert.equal(Math.round(simulate(slow(true)).throughput), 1_000)
})

test('pictures show the technology of a queue, and a box round each part', () => {
  const dot = toDot(shop)
  assert.match(dot, /NATS JetStream/)
  assert.match(dot, /Redis Streams/)
  const mermaid = toMermaid(tidy)
  for (const box of ['web', 'service', 'mailer']) assert.match(mermaid, new RegExp(`subgraph \\w+\\["${box}"\\]`))
})
