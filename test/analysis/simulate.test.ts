import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate, type NodeFlow, type Simulation } from '#src/analysis/flow/simulate.js'
import { proposals } from 'millrace/analysis'
import { changeGraph } from '#src/analysis/flow/what-if.js'
import { graphOf } from './graphs.js'

function flow(found: Simulation, id: string): NodeFlow {
  const node = found.nodes.find((each) => each.id === id)
  assert.ok(node)
  return node
}
function near(actual: number | undefined, expected: number): void {
  assert.ok(
    actual !== undefined && Math.abs(actual - expected) <= 1e-9 * Math.max(1, expected),
    `${actual} is not ${expected}`,
  )
}

/** The walkthrough's IoT pipeline: 10,000 records/s offered to a parser that serves 20/s and a window that serves 5/s. */
const iot = graphOf(
  [
    { kind: 'source', id: 'a', rate: 2_000 },
    { kind: 'source', id: 'b', rate: 3_000 },
    { kind: 'source', id: 'c', rate: 5_000 },
    'merge mux',
    { kind: 'transform', id: 'parse', latencyMs: 50 },
    { kind: 'buffer', id: 'queue', capacity: 8_000 },
    { kind: 'transform', id: 'window', latencyMs: 200 },
    'sink influx',
  ],
  ['a > mux', 'b > mux', 'c > mux', 'mux > parse', 'parse > queue', 'queue > window', 'window > influx'],
)

test('the slowest stage sets the rate of the whole chain, and slows the sources instead of losing records', () => {
  const found = simulate(iot)
  for (const id of ['mux', 'parse', 'queue', 'window', 'influx']) near(flow(found, id).in, 5)
  near(found.throughput, 5)
  assert.deepEqual(found.bottleneck, { by: 'stage', node: 'window', saturated: true })
  near(flow(found, 'window').utilisation, 1)
  near(flow(found, 'parse').utilisation, 0.25)
  near(flow(found, 'parse').offered, 10_000)
})

test('each node says what limits it, and where that lies', () => {
  const found = simulate(iot)
  assert.deepEqual(flow(found, 'parse').limits, [{ by: 'stage', node: 'window', where: 'below' }])
  assert.deepEqual(flow(found, 'window').limits, [{ by: 'stage', node: 'window', where: 'here' }])
  assert.deepEqual(flow(found, 'influx').limits, [{ by: 'stage', node: 'window', where: 'above' }])
})

test('sources that meet share what is left evenly, and one that wants less is served in full', () => {
  const graph = graphOf(
    [
      { kind: 'source', id: 'small', rate: 10 },
      { kind: 'source', id: 'large', rate: 1_000 },
      { kind: 'source', id: 'double', rate: 1_000, concurrency: 2 },
      { kind: 'sink', id: 'out', latencyMs: 10 },
    ],
    ['small > out', 'large > out', 'double > out'],
  )
  // 100/s: 10 for `small`; the other 90 by lanes, one to two.
  const { sources } = simulate(graph)
  assert.deepEqual(
    sources.map(({ rate }) => Math.round(rate * 1e6) / 1e6),
    [10, 30, 60],
  )
  assert.deepEqual(sources[0]?.limit, { by: 'rate' })
  assert.deepEqual(sources[1]?.limit, { by: 'stage', node: 'out' })
})

test('below the limits, rates pass through and nothing is saturated', () => {
  const found = simulate(
    graphOf(
      [{ kind: 'source', id: 'in', rate: 100 }, { kind: 'transform', id: 'work', latencyMs: 5 }, 'sink out'],
      ['in > work', 'work > out'],
    ),
  )
  near(flow(found, 'out').in, 100)
  near(flow(found, 'work').utilisation, 0.5)
  assert.deepEqual(found.bottleneck, { by: 'stage', node: 'work', saturated: false })
  assert.deepEqual(flow(found, 'work').limits, [{ by: 'rate', where: 'above' }])
})

test('branches share by ratio, selectivity expands and filters, and plain edges copy', () => {
  const found = simulate(
    graphOf(
      [
        { kind: 'source', id: 'in', rate: 100 },
        { kind: 'transform', id: 'split', selectivity: 3 },
        'conditional pick',
        { kind: 'transform', id: 'few', selectivity: 0.1 },
        'sink a',
        'sink b',
        'sink copy',
      ],
      [
        'in > split',
        'split > pick',
        'split > copy',
        { from: 'pick', to: 'few', when: 'x', ratio: 0.25 },
        { from: 'pick', to: 'b', when: 'y' },
        'few > a',
      ],
    ),
  )
  near(flow(found, 'pick').in, 300)
  near(flow(found, 'copy').in, 300)
  near(flow(found, 'few').in, 75)
  near(flow(found, 'a').in, 7.5)
  near(flow(found, 'b').in, 225)
  near(flow(found, 'split').out, 600)
  assert.ok(found.assumptions.some((text) => text.includes('`pick`')))
})

test('a retry loop is solved to its fixed point', () => {
  // 500/s; of what `work` takes 20 % fails and comes back: 500 / (1 - 0.2) = 625.
  const graph = graphOf(
    [
      { kind: 'source', id: 'in', rate: 500 },
      { kind: 'transform', id: 'work', latencyMs: 1 },
      'buffer again',
      'sink out',
    ],
    ['in > work', { from: 'work', to: 'again', pathType: 'retry', ratio: 0.2 }, 'again > work', 'work > out'],
  )
  const found = simulate(graph)
  near(flow(found, 'work').in, 625)
  near(flow(found, 'again').in, 125)
  near(flow(found, 'out').in, 500)
  near(flow(found, 'work').utilisation, 0.625)
})

test('a loop that sends back all it takes lets nothing through, and is named', () => {
  const found = simulate(
    graphOf(
      [{ kind: 'source', id: 'in', rate: 10 }, { kind: 'transform', id: 'a', latencyMs: 1 }, 'transform b', 'sink out'],
      ['in > a', 'a > b', 'b > a', 'b > out'],
    ),
  )
  assert.deepEqual(found.growing, [['a', 'b']])
  near(found.throughput, 0)
})

test('a loop that grows, with no stage in it that can be full, holds up nothing that does not know of it', () => {
  const found = simulate(
    graphOf(
      [
        { kind: 'source', id: 'in', rate: 10 },
        'transform a',
        'transform b',
        { kind: 'source', id: 'other', rate: 7 },
        { kind: 'sink', id: 'out', latencyMs: 1 },
      ],
      ['in > a', 'a > b', 'b > a', 'other > out'],
    ),
  )
  assert.deepEqual(found.growing, [['a', 'b']])
  near(flow(found, 'out').in, 7)
  near(flow(found, 'out').utilisation, 0.007)
})

/** 15 ms of core time for each record. */
const burning = graphOf(
  [
    { kind: 'source', id: 'in' },
    { kind: 'transform', id: 'a', latencyMs: 10, cpu: true, concurrency: 4 },
    { kind: 'transform', id: 'b', latencyMs: 5, cpu: true, concurrency: 4 },
    { kind: 'sink', id: 'out', latencyMs: 1 },
  ],
  ['in > a', 'a > b', 'b > out'],
)

test('cpu stages share the cores', () => {
  const two = simulate(burning, { cores: 2 })
  near(two.throughput, 2_000 / 15)
  assert.deepEqual(two.bottleneck, { by: 'cores', node: 'a', saturated: true })
  near(two.cores.used, 2)
  const eight = simulate(burning, { cores: 8 })
  near(eight.throughput, 400)
  assert.deepEqual(eight.bottleneck, { by: 'stage', node: 'a', saturated: true })
})

test('what the runtime takes for each record counts as core time of every stage', () => {
  const found = simulate(graphOf(['source in', 'transform work', 'sink out'], ['in > work', 'work > out']), {
    cores: 2,
    overheadMs: 0.001,
  })
  near(found.throughput, 2 / 3e-6)
})

test('a worker that waits serves `maxInFlight` records at once, one that burns a core serves one', () => {
  const sink = { kind: 'sink' as const, id: 'out', latencyMs: 100, maxInFlight: 8 }
  near(simulate(graphOf(['source in', sink], ['in > out'])).throughput, 80)
  near(simulate(graphOf(['source in', { ...sink, cpu: true }], ['in > out'])).throughput, 10)
})

test('a declared service rate counts instead of the latency', () => {
  near(
    simulate(
      graphOf(
        [
          { kind: 'source', id: 'in' },
          { kind: 'sink', id: 'out', serviceRate: 7 },
        ],
        ['in > out'],
      ),
    ).throughput,
    7,
  )
})

test('a source without a rate sends as fast as the graph lets it, and that is said', () => {
  const found = simulate(
    graphOf(
      [
        { kind: 'source', id: 'in' },
        { kind: 'sink', id: 'out', latencyMs: 2 },
      ],
      ['in > out'],
    ),
  )
  near(found.throughput, 500)
  assert.deepEqual(found.assumptions, ['`in` declares no rate: it sends as fast as the graph lets it.'])
  const free = simulate(graphOf(['source in', 'sink out'], ['in > out']))
  assert.equal(free.throughput, Infinity)
  assert.deepEqual(free.sources[0]?.limit, { by: 'nothing' })
  assert.equal(flow(free, 'out').utilisation, 0)
})

test('a rate limit holds a source, and its own latency does too', () => {
  const found = simulate(
    graphOf(
      [
        { kind: 'source', id: 'held', rate: 50, rateLimit: 40 },
        { kind: 'source', id: 'slow', latencyMs: 100 },
        'sink out',
      ],
      ['held > out', 'slow > out'],
    ),
  )
  assert.deepEqual(
    found.sources.map(({ rate, limit }) => [rate, limit]),
    [
      [40, { by: 'rateLimit' }],
      [10, { by: 'stage', node: 'slow' }],
    ],
  )
})

test('a rate limit holds a stage, is what limits, and is not lifted by workers', () => {
  const graph = graphOf(
    [
      { kind: 'source', id: 'in', rate: 100 },
      { kind: 'transform', id: 'work', latencyMs: 20, rateLimit: { perSecond: 10 } },
      'sink out',
    ],
    ['in > work', 'work > out'],
  )
  const found = simulate(graph)
  near(flow(found, 'out').in, 10)
  assert.deepEqual(found.bottleneck, { by: 'rateLimit', node: 'work', saturated: true })
  assert.deepEqual(found.sources[0]?.limit, { by: 'rateLimit', node: 'work' })
  assert.deepEqual(proposals(graph), [])
  // What its handler takes is less than the limit lets it do.
  const slow = changeGraph(graph, { nodes: { work: { rateLimit: 80 } } })
  assert.deepEqual(simulate(slow).bottleneck, { by: 'stage', node: 'work', saturated: true })
})

test('a sink with outgoing edges passes its records on', () => {
  const found = simulate(
    graphOf([{ kind: 'source', id: 'in', rate: 9 }, 'sink db', 'sink mail'], ['in > db', 'db > mail']),
  )
  near(flow(found, 'mail').in, 9)
})

test('a buffer in front of a slow stage is full after capacity / (offered - drained) seconds', () => {
  const [queue] = simulate(iot).buffers
  // The parser lets 20/s through, the window takes 5/s: 8,000 / 15 s to fill, 8,000 / 5 s to drain.
  near(queue?.offered, 20)
  near(queue?.drainRate, 5)
  near(queue?.headroom, -15)
  near(queue?.timeToFullS, 8_000 / 15)
  near(queue?.timeToDrainS, 1_600)
  near(queue?.absorbsS, 1_600)
  assert.equal(queue?.dropped, 0)
})

test('a buffer below the bottleneck never fills, and buffers come with the least relative headroom first', () => {
  const found = simulate(
    graphOf(
      [
        { kind: 'source', id: 'in', rate: 100 },
        'buffer before',
        { kind: 'transform', id: 'slow', latencyMs: 20 },
        'buffer after',
        { kind: 'sink', id: 'out', latencyMs: 10 },
      ],
      ['in > before', 'before > slow', 'slow > after', 'after > out'],
    ),
  )
  assert.deepEqual(
    found.buffers.map(({ node }) => node),
    ['before', 'after'],
  )
  near(found.buffers[0]?.headroom, -50)
  near(found.buffers[1]?.headroom, 50)
  assert.equal(found.buffers[1]?.timeToFullS, Infinity)
})

test('what a full buffer drops does not slow the sources, and every drop is counted', () => {
  const graph = graphOf(
    [
      { kind: 'source', id: 'in', rate: 100 },
      { kind: 'buffer', id: 'latest', capacity: 10, whenFull: 'dropOldest' },
      { kind: 'sink', id: 'out', latencyMs: 20 },
    ],
    ['in > latest', 'latest > out'],
  )
  const found = simulate(graph)
  near(found.throughput, 100)
  near(flow(found, 'out').in, 50)
  near(found.buffers[0]?.dropped, 50)
  assert.deepEqual(flow(found, 'latest').limits, [{ by: 'rate', where: 'above' }])
  assert.deepEqual(flow(found, 'out').limits, [{ by: 'stage', node: 'out', where: 'here' }])
})

test('of two branches of one source the slower one holds up the other', () => {
  const found = simulate(
    graphOf(
      [
        { kind: 'source', id: 'in', rate: 1_000 },
        { kind: 'sink', id: 'fast', latencyMs: 1 },
        { kind: 'sink', id: 'slow', latencyMs: 100 },
      ],
      ['in > fast', 'in > slow'],
    ),
  )
  near(flow(found, 'fast').in, 10)
  assert.deepEqual(flow(found, 'fast').limits, [{ by: 'stage', node: 'slow', where: 'beside' }])
})

test('edges carry their rate beside the declared one', () => {
  const found = simulate(
    graphOf([{ kind: 'source', id: 'in', rate: 9 }, 'sink out'], [{ from: 'in', to: 'out', rate: 12 }]),
  )
  assert.deepEqual(found.edges, [{ index: 0, from: 'in', to: 'out', rate: 9, declared: 12 }])
})

test('beside an error edge a dead-letter edge of the same node carries nothing, as at run time', () => {
  const found = simulate(
    graphOf(
      [{ kind: 'source', id: 'in', rate: 10 }, 'transform work', 'sink out', 'sink errors', 'sink letters'],
      [
        'in > work',
        'work > out',
        { from: 'work', to: 'errors', pathType: 'error', ratio: 0.2 },
        { from: 'work', to: 'letters', pathType: 'dead_letter', ratio: 0.3 },
      ],
    ),
  )
  assert.deepEqual(
    found.edges.map(({ rate }) => rate),
    [10, 8, 2, 0],
  )
})

test('a hundred thousand nodes are simulated in seconds, loop included', () => {
  const size = 100_000
  const nodes = [
    { kind: 'source' as const, id: 'n0', rate: 10 },
    ...Array.from({ length: size }, (_, index) => ({ kind: 'transform' as const, id: `n${index + 1}`, latencyMs: 1 })),
  ]
  const edges = Array.from({ length: size }, (_, index) => ({ from: `n${index}`, to: `n${index + 1}` }))
  const back = { from: `n${size}`, to: 'n1', pathType: 'retry' as const, ratio: 0.5 }
  const began = process.cpuUsage()
  near(simulate({ name: 'long', nodes, edges: [...edges, back], clusters: [] }).nodes[1]?.in, 20)
  // Core time, in microseconds: a machine that is busy otherwise takes longer.
  assert.ok(process.cpuUsage(began).user < 10_000_000)
})

test('a buffer that drops passes on what comes to it as long as that fits, however much more would be taken', () => {
  // Of 1 record, 1 goes straight to `out` and 3/4 through the buffer, where each becomes 6: 5.5 in all. `out` takes 36/s.
  const graph = graphOf(
    [
      { kind: 'source', id: 'in', rate: 12 },
      'transform fork',
      'conditional pick',
      { kind: 'buffer', id: 'latest', capacity: 10, whenFull: 'dropOldest' },
      { kind: 'transform', id: 'split', selectivity: 6 },
      { kind: 'sink', id: 'out', serviceRate: 36 },
      'sink side',
    ],
    [
      'in > fork',
      'fork > out',
      'fork > pick',
      { from: 'pick', to: 'latest', when: 'on', ratio: 0.75 },
      { from: 'pick', to: 'side', when: 'off', ratio: 0.25 },
      'latest > split',
      'split > out',
    ],
  )
  const { throughput, buffers } = simulate(graph)
  near(throughput, 36 / 5.5)
  near(buffers[0]?.in, (0.75 * 36) / 5.5)
  near(buffers[0]?.dropped, 0)
})

test('a cluster has what crosses its border, what its sources make, its workers and its busiest stage', () => {
  const graph = graphOf(
    [
      { kind: 'source', id: 'in', rate: 40 },
      { kind: 'source', id: 'own', rate: 10, cluster: 'outer' },
      { kind: 'transform', id: 'a', latencyMs: 10, cpu: true, concurrency: 2, cluster: 'inner' },
      { kind: 'transform', id: 'b', latencyMs: 4, cluster: 'outer' },
      'sink out',
    ],
    ['in > a', 'own > a', 'a > b', 'b > out'],
    [{ id: 'outer' }, { id: 'inner', parent: 'outer' }],
  )
  assert.deepEqual(simulate(graph).clusters, [
    { id: 'outer', in: 40, out: 50, made: 10, workers: 4, cores: 0.5, busiest: { node: 'a', utilisation: 0.25 } },
    { id: 'inner', in: 50, out: 50, made: 0, workers: 2, cores: 0.5, busiest: { node: 'a', utilisation: 0.25 } },
  ])
})

test('workers that get every record serve a share of them each', () => {
  const graph = graphOf(
    ['source in', { kind: 'transform', id: 'all', latencyMs: 10, concurrency: 3, dispatch: 'broadcast' }, 'sink out'],
    ['in > all', 'all > out'],
  )
  const { throughput, nodes } = simulate(graph)
  near(throughput, 100)
  near(nodes[1]?.in, 300)
})

test('fused stages share their workers', () => {
  const graph = graphOf(
    [
      'source in',
      { kind: 'transform', id: 'a', latencyMs: 2 },
      { kind: 'transform', id: 'b', latencyMs: 3 },
      'sink out',
    ],
    ['in > a', { from: 'a', to: 'b', fuse: true }, 'b > out'],
  )
  const { throughput, bottleneck, nodes } = simulate(graph)
  near(throughput, 200)
  assert.equal(bottleneck?.node, 'a')
  near(nodes[2]?.utilisation, 1)
})

test('a window limits its source to what is on its way, by the time that it is', () => {
  const graph = graphOf(
    [
      { kind: 'source', id: 'in', window: 8 },
      { kind: 'transform', id: 'a', latencyMs: 40, concurrency: 100 },
      'sink out',
    ],
    ['in > a', 'a > out'],
  )
  const { throughput, bottleneck, sources } = simulate(graph)
  near(throughput, 200)
  assert.deepEqual(bottleneck, { by: 'window', node: 'in', saturated: true })
  assert.equal(sources[0]?.limit.by, 'window')
})
