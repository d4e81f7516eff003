import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '#src/analysis/flow/simulate.js'
import { retryLoops } from '#src/analysis/flow/retries.js'
import { drift } from '#src/analysis/live/drift.js'
import { explain } from '#src/analysis/live/explain.js'
import { ledger } from '#src/analysis/live/ledger.js'
import { measuredGraph } from '#src/analysis/live/measured.js'
import { graphOf } from './graphs.js'
import { measured } from './measurements.js'

function near(actual: number | undefined, expected: number): void {
  assert.ok(
    actual !== undefined && Math.abs(actual - expected) <= 1e-9 * Math.max(1, expected),
    `${actual} is not ${expected}`,
  )
}

const enriching = graphOf(
  [
    { kind: 'source', id: 'in', rate: 500 },
    { kind: 'transform', id: 'parse', latencyMs: 1.5 },
    'conditional ok',
    { kind: 'transform', id: 'enrich', latencyMs: 12.5, concurrency: 1 },
    { kind: 'sink', id: 'out', latencyMs: 1 },
    'sink bad',
  ],
  [
    'in > parse',
    'parse > ok',
    { from: 'ok', to: 'enrich', when: 'yes', ratio: 0.9 },
    { from: 'ok', to: 'bad', when: 'no', ratio: 0.1 },
    'enrich > out',
  ],
)
/** `enrich` is full; `parse` waits for it, and the source for `parse`. */
const heldUp = measured(enriching, {
  nodes: {
    in: { blocked: 0.82 },
    parse: { busy: 0.18, blocked: 0.71 },
    enrich: { busy: 0.98 },
  },
  edges: {
    0: { blockedShare: 0.82 },
    1: { blockedShare: 0.71 },
    2: { queued: 4_000 },
    3: { queued: 1 },
  },
})

test('an explanation names the bottleneck, who waits for it, and what would help by how much', () => {
  const found = explain(enriching, heldUp)
  assert.equal(found.bottleneck, 'enrich')
  assert.equal(
    found.sentence,
    '`enrich` is busy 98 % of the time; `in` waits for `parse` 82 % of the time; `parse` waits for it 71 % of the time',
  )
  // 500/s declared, of which 90 % come to `enrich`: 450/s need 6 workers at 80/s each.
  assert.equal(found.remedy, '6 workers would lift the limit from 80 records/s to 450 records/s.')
})

test('where another stage limits next, the explanation says which', () => {
  const graph = graphOf(
    [
      { kind: 'source', id: 'in' },
      { kind: 'transform', id: 'a', latencyMs: 10 },
      { kind: 'sink', id: 'b', latencyMs: 4 },
    ],
    ['in > a', 'a > b'],
  )
  const found = explain(
    graph,
    measured(graph, { nodes: { in: { blocked: 0.9 } }, edges: { 0: { blockedShare: 0.9 } } }),
  )
  assert.equal(found.remedy, '3 workers would lift the limit from 100 records/s to 250 records/s; then `b` limits.')
})

test('where all cores are busy, more workers are not proposed', () => {
  const graph = graphOf(
    [
      { kind: 'source', id: 'in' },
      { kind: 'sink', id: 'a', latencyMs: 10, cpu: true, concurrency: 2 },
    ],
    ['in > a'],
  )
  const found = explain(graph, measured(graph, { nodes: { in: { blocked: 0.9 } } }), { cores: 2 })
  assert.equal(found.remedy, 'More workers do not help, because all cores are busy: make the handler of `a` faster.')
})

test('where the sources make no more, nothing needs to be faster', () => {
  const calm = { ...enriching, nodes: enriching.nodes.map((node) => (node.id === 'in' ? { ...node, rate: 40 } : node)) }
  const found = explain(calm, measured(calm))
  assert.deepEqual([found.bottleneck, found.cause], [undefined, 'none'])
  assert.match(found.sentence, /the sources make 40 records\/s; the stages could take 88\.9 records\/s/)
})

test('a stage at its rate limit is told to raise it', () => {
  const graph = graphOf([{ kind: 'source', id: 'in', rateLimit: 10 }, 'sink out'], ['in > out'])
  const found = explain(graph, measured(graph, { nodes: { in: { limited: 0.99 } } }))
  assert.equal(found.remedy, 'Raise `rateLimit` of `in`.')
})

test('without measurements there is no bottleneck', () => {
  assert.equal(explain(enriching, { seconds: 1, nodes: {}, edges: [] }).bottleneck, undefined)
})

test('drift holds every declared figure against the measured one, the largest first', () => {
  const found = drift(
    enriching,
    measured(enriching, { nodes: { parse: { serviceMs: 2.25 } }, edges: { 2: { records: 400 }, 3: { records: 400 } } }),
  )
  assert.deepEqual(
    found.slice(0, 4).map(({ node, edge, figure, exceeds }) => [node ?? edge, figure, exceeds]),
    [
      ['in', 'rate', true],
      ['parse', 'latencyMs', true],
      [2, 'ratio', true],
      [3, 'ratio', true],
    ],
  )
  near(found[1]?.measured, 2.25)
  near(found[1]?.drift, 0.5)
  assert.deepEqual(
    drift(enriching, measured(enriching)).filter(({ exceeds, figure }) => exceeds && figure !== 'rate'),
    [],
  )
})

test('the tolerance decides what exceeds', () => {
  const counts = measured(enriching, { nodes: { parse: { serviceMs: 1.65 } } })
  const exceeding = (tolerance: number): number =>
    drift(enriching, counts, { tolerance }).filter(({ figure, exceeds }) => figure === 'latencyMs' && exceeds).length
  assert.deepEqual([exceeding(0.05), exceeding(0.2)], [1, 0])
})

test('the ledger holds when every record is somewhere, and names the stage where one is missing', () => {
  assert.ok(ledger(enriching, measured(enriching)).holds)
  const chain = graphOf(
    [{ kind: 'source', id: 'in', rate: 10 }, 'transform work', 'sink out'],
    ['in > work', 'work > out'],
  )
  assert.ok(ledger(chain, measured(chain)).holds)
  const lost = ledger(chain, measured(chain, { nodes: { work: { done: 97, filtered: 1, inFlight: 1 } } }))
  assert.equal(lost.holds, false)
  assert.deepEqual(
    lost.entries.map(({ node, difference }) => [node, difference]),
    [
      ['in', 0],
      ['work', 1],
      ['out', 0],
    ],
  )
  assert.ok(
    ledger(chain, measured(chain, { nodes: { work: { done: 97, filtered: 1, inFlight: 1 } } }), { slack: 1 }).holds,
  )
})

test('records that wait on a lane or were dropped there are in the books', () => {
  const chain = graphOf([{ kind: 'source', id: 'in', rate: 10 }, 'sink out'], ['in > out'])
  const books = ledger(chain, measured(chain, { edges: { 0: { records: 107, queued: 5, dropped: 2 } } }))
  assert.ok(books.holds)
  assert.equal(
    ledger(chain, measured(chain, { edges: { 0: { records: 107, queued: 5 } } })).entries[1]?.lanesDifference,
    2,
  )
})

test('a graph with what was measured answers as the declared one did, when all went as declared', () => {
  const graph = graphOf(
    [
      { kind: 'source', id: 'in', rate: 100 },
      { kind: 'transform', id: 'split', latencyMs: 2, selectivity: 3 },
      'conditional pick',
      { kind: 'transform', id: 'a', latencyMs: 1 },
      { kind: 'sink', id: 'out', latencyMs: 0.5, maxInFlight: 4 },
    ],
    [
      'in > split',
      'split > pick',
      { from: 'pick', to: 'a', when: 'x', ratio: 0.25 },
      { from: 'pick', to: 'out', when: 'y', ratio: 0.75 },
      { from: 'a', to: 'a', pathType: 'retry', ratio: 0.2 },
      'a > out',
    ],
  )
  const expected = simulate(graph)
  const again = simulate(measuredGraph(graph, measured(graph, { nodes: { out: { serviceMs: 0.125 } } })))
  again.nodes.forEach((node, index) => {
    near(node.in, expected.nodes[index]?.in ?? 0)
    near(node.utilisation, expected.nodes[index]?.utilisation ?? 0)
  })
})

test('measured retries give the gain of the loop as it runs', () => {
  const graph = graphOf(
    [{ kind: 'source', id: 'in', rate: 100 }, { kind: 'transform', id: 'work', latencyMs: 1 }, 'sink out'],
    ['in > work', { from: 'work', to: 'work', pathType: 'retry', ratio: 0.1 }, 'work > out'],
  )
  const counts = measured(graph, {
    nodes: { work: { in: 2_000 } },
    edges: { 1: { records: 1_000 }, 2: { records: 1_000 } },
  })
  near(retryLoops(measuredGraph(graph, counts))[0]?.gain, 0.5)
})

test('the rate of a source that was held up stays as declared', () => {
  const now = measuredGraph(enriching, heldUp)
  assert.equal(now.nodes[0]?.rate, 500)
  assert.equal(measuredGraph(enriching, measured(enriching)).nodes[0]?.rate, simulate(enriching).throughput)
})
