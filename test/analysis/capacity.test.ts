import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bottlenecks, maxRate } from '#src/analysis/flow/capacity.js'
import { whatIf } from '#src/analysis/flow/what-if.js'
import { graphOf } from './graphs.js'

function near(actual: number | undefined, expected: number): void {
  assert.ok(
    actual !== undefined && Math.abs(actual - expected) <= 1e-9 * Math.max(1, expected),
    `${actual} is not ${expected}`,
  )
}

/** 100/s offered; `a` serves 50/s, `b` 20/s, `c` 1,000/s. */
const chain = graphOf(
  [
    { kind: 'source', id: 'in', rate: 100 },
    { kind: 'transform', id: 'a', latencyMs: 20 },
    { kind: 'transform', id: 'b', latencyMs: 100, concurrency: 2 },
    { kind: 'sink', id: 'c', latencyMs: 1 },
  ],
  ['in > a', 'a > b', 'b > c'],
)

test('bottlenecks come with what limits the graph first, and with the rate that lifting it would give', () => {
  const found = bottlenecks(chain)
  assert.deepEqual(
    found.map(({ node, saturated }) => [node, saturated]),
    [
      ['b', true],
      ['a', false],
      ['c', false],
    ],
  )
  near(found[0]?.pressure, 5)
  near(found[0]?.utilisation, 1)
  near(found[0]?.throughputWithout, 50)
  near(found[1]?.pressure, 2)
  near(found[1]?.utilisation, 0.4)
})

test('the cores are a bottleneck of their own', () => {
  const found = bottlenecks(
    graphOf(
      [
        { kind: 'source', id: 'in', rate: 1_000 },
        { kind: 'transform', id: 'a', latencyMs: 4, cpu: true, concurrency: 8 },
        { kind: 'sink', id: 'b', latencyMs: 1, cpu: true, concurrency: 8 },
      ],
      ['in > a', 'a > b'],
    ),
    { cores: 2 },
  )
  assert.equal(found[0]?.by, 'cores')
  assert.equal(found[0]?.node, 'a')
  near(found[0]?.pressure, 2.5)
  near(found[0]?.throughputWithout, 1_000)
})

test('stages that declare nothing limit nothing and are not ranked', () => {
  assert.deepEqual(bottlenecks(graphOf(['source in', 'sink out'], ['in > out'])), [])
})

test('the largest rate of a source does not depend on what it declares, and names the cut', () => {
  const found = maxRate(chain)
  assert.deepEqual(found.sources, [{ id: 'in', rate: 20, max: 20, cut: [{ by: 'stage', node: 'b' }] }])
  near(found.together.factor, 0.2)
  near(found.together.throughput, 20)
})

test('what one source may send is what the others leave, and a rate limit is part of the cut', () => {
  const graph = graphOf(
    [
      { kind: 'source', id: 'a', rate: 10 },
      { kind: 'source', id: 'b', rate: 30, rateLimit: 45 },
      { kind: 'sink', id: 'out', latencyMs: 10 },
    ],
    ['a > out', 'b > out'],
  )
  const found = maxRate(graph)
  near(found.sources[0]?.max, 70)
  assert.deepEqual(found.sources[0]?.cut, [{ by: 'stage', node: 'out' }])
  near(found.sources[1]?.max, 45)
  assert.deepEqual(found.sources[1]?.cut, [{ by: 'rateLimit', node: 'b' }])
  near(found.together.factor, 1.5)
  assert.deepEqual(found.together.cut, [{ by: 'rateLimit', node: 'b' }])
})

test('two stages that are full at the same rate are both in the cut', () => {
  const graph = graphOf(
    [
      { kind: 'source', id: 'in', rate: 1 },
      { kind: 'transform', id: 'a', latencyMs: 10 },
      { kind: 'sink', id: 'b', latencyMs: 10 },
    ],
    ['in > a', 'a > b'],
  )
  assert.deepEqual(
    maxRate(graph).sources[0]?.cut.map(({ node }) => node),
    ['a', 'b'],
  )
})

test('without any limit the largest rate is infinite', () => {
  const found = maxRate(graphOf(['source in', 'sink out'], ['in > out']))
  assert.equal(found.sources[0]?.max, Infinity)
  assert.deepEqual(found.sources[0].cut, [{ by: 'nothing' }])
})

test('what if: more workers move the bottleneck, and both flows stand side by side', () => {
  const found = whatIf(chain, { nodes: { b: { concurrency: 10 } } })
  near(found.throughput.before, 20)
  near(found.throughput.after, 50)
  near(found.throughput.factor, 2.5)
  assert.equal(found.bottleneckMoves, true)
  assert.equal(found.after.bottleneck?.node, 'a')
  assert.deepEqual(
    found.nodes.map(({ id }) => id),
    ['in', 'a', 'b', 'c'],
  )
  near(found.nodes.find(({ id }) => id === 'b')?.utilisation.after, 0.5)
})

test('what if: latency, capacity, ratios and cores can change, and an option can go', () => {
  near(whatIf(chain, { nodes: { b: { latencyMs: 50 } } }).throughput.after, 40)
  const buffered = graphOf(
    [
      { kind: 'source', id: 'in', rate: 10 },
      { kind: 'buffer', id: 'q', capacity: 100 },
      { kind: 'sink', id: 'out', latencyMs: 1_000 },
    ],
    ['in > q', 'q > out'],
  )
  const larger = whatIf(buffered, { nodes: { q: { capacity: 900 } } })
  near(larger.before.buffers[0]?.timeToFullS, 100 / 9)
  near(larger.after.buffers[0]?.timeToFullS, 100)
  near(whatIf(chain, { nodes: { b: { latencyMs: undefined } } }).throughput.after, 50)
  near(whatIf(chain, { edges: { 1: { ratio: 0.5 } } }).throughput.after, 40)
})

test('what if refuses nodes and edges that are not there', () => {
  assert.throws(() => whatIf(chain, { nodes: { x: {} } }), { code: 'NODE_UNKNOWN' })
  assert.throws(() => whatIf(chain, { edges: { 9: {} } }), { code: 'EDGE_UNKNOWN' })
})
