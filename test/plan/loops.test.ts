import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataflow, type GraphData } from 'millrace'
import { deadlock } from 'millrace/analysis'
import { plan } from 'millrace/plan'

/** What one lane over an edge holds, in records. */
function held(graph: GraphData, edge: number, options = {}): number {
  return plan(graph, options).links.find(({ edges }) => edges.includes(edge))!.capacity
}

const loop = (window: number, back: object = {}): GraphData =>
  dataflow('loop')
    .source('in', { window })
    .transform('work')
    .sink('out')
    .connect('in', 'work')
    .connect('work', 'out')
    .connect('work', 'work', { pathType: 'retry', ...back })

test('a lane of a loop holds what the deadlock analysis asks for', () => {
  const graph = loop(20_000)
  const [sized] = deadlock(graph).sized
  assert.equal(sized!.capacity, 20_001)
  assert.equal(held(graph, sized!.edge), 20_001)
})

test('lanes that hold enough as they are, and lanes off the loop, stay as they are', () => {
  const graph = loop(1_000)
  assert.deepEqual(deadlock(graph).sized, [])
  assert.deepEqual(
    graph.edges.map((_, edge) => held(graph, edge)),
    [8_192, 8_192, 8_192],
  )
  assert.equal(held(loop(20_000), 0), 8_192)
})

test('the plan and the analysis count with the same `maxDemand`', () => {
  const graph = loop(1_000)
  assert.equal(held(graph, 2, { maxDemand: 64 }), 1_001)
  assert.equal(held(graph, 0, { maxDemand: 64 }), 64)
})

test('what the graph says of a lane is kept, and the analysis warns', () => {
  const graph = loop(1_000, { maxDemand: 10 })
  assert.equal(deadlock(graph).safe, false)
  assert.equal(held(graph, 2), 10)
})

test('the lanes of a loop have bytes for all their records', () => {
  const { links } = plan(loop(20_000))
  const lane = links.find(({ edges }) => edges.includes(2))!.lanes[0]![0]!
  assert.ok(lane.ringBytes >= 20_000 * 128)
})

test('in a loop of several stages one lane makes up for what the others do not hold', () => {
  const graph = dataflow('long loop')
    .source('in', { window: 30_000, chunk: 1 })
    .transform('first')
    .transform('second')
    .sink('out')
    .connect('in', 'first')
    .connect('first', 'second')
    .connect('second', 'out')
    .connect('second', 'first', { pathType: 'retry' })
  assert.ok(deadlock(graph).safe)
  assert.equal(held(graph, 1) + held(graph, 3), 30_001)
})

test('the reader of a lane of a loop grants for each record: by halves it would hold half when its writer waits', () => {
  const { links } = plan(loop(1_000))
  const sizes = (edge: number): object => {
    const { maxDemand, minDemand } = links.find(({ edges }) => edges.includes(edge))!.lanes[0]![0]!
    return { maxDemand, minDemand }
  }
  assert.deepEqual(sizes(2), { maxDemand: 8_192, minDemand: 8_191 })
  assert.deepEqual(sizes(0), { maxDemand: 8_192, minDemand: 4_096 })
})

test('records that are put in by hand count as in the loop', () => {
  const graph = loop(9_000)
  assert.equal(held(graph, 2, { inject: true }) - held(graph, 2), 64)
})

test('a buffer before a conditional is the room of the lanes behind it, and says what happens when they are full', () => {
  const graph = dataflow('parted')
    .source('in')
    .buffer('queue', { capacity: 50, whenFull: 'dropOldest' })
    .conditional('which')
    .sink('a')
    .sink('b')
    .connect('in', 'queue')
    .connect('queue', 'which')
    .connect('which', 'a', { when: 'a' })
    .connect('which', 'b', { when: 'b' })
  const { links } = plan(graph)
  assert.deepEqual(
    links.map(({ capacity, whenFull, dropEdge }) => ({ capacity, whenFull, dropEdge })),
    [
      { capacity: 50, whenFull: 'dropOldest', dropEdge: 0 },
      { capacity: 50, whenFull: 'dropOldest', dropEdge: 0 },
    ],
  )
})
