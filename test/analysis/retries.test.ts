import { resolved } from '#src/analysis/resolved.js'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { components } from '#src/analysis/components.js'
import { loopPattern } from '#src/analysis/flow/loop-traffic.js'
import { retryLoops } from '#src/analysis/flow/retries.js'
import { sizing } from '#src/analysis/flow/sizing.js'
import { digraphs, graphOf, transforms } from './graphs.js'

function near(actual: number | undefined, expected: number, tolerance = 1e-9): void {
  assert.ok(
    actual !== undefined && Math.abs(actual - expected) <= tolerance * Math.max(1, expected),
    `${actual} is not ${expected}`,
  )
}

function loop(rate: number, ratio: number, latencyMs: number): ReturnType<typeof retryLoops>[number] | undefined {
  return retryLoops(
    graphOf(
      [{ kind: 'source', id: 'in', rate }, { kind: 'transform', id: 'work', latencyMs }, 'sink out'],
      ['in > work', { from: 'work', to: 'work', pathType: 'retry', ratio }, 'work > out'],
    ),
  )[0]
}

test('a retry loop has its gain, its load, and the gain at which its stage is full', () => {
  // 500/s enter a stage that serves 1,000/s; a fifth is tried again.
  const found = loop(500, 0.2, 1)
  near(found?.gain, 0.2)
  near(found?.load, 1.25)
  near(found?.entering, 500)
  near(found?.stormGain, 0.5, 1e-6)
  near(found?.stormFactor, 2.5, 1e-6)
  assert.equal(found?.stormNode, 'work')
})

test('without a service time the storm begins where nothing leaves the loop', () => {
  const found = loop(500, 0.25, 0)
  near(found?.stormGain, 1, 1e-6)
  near(found?.stormFactor, 4, 1e-6)
  assert.equal(found?.stormNode, undefined)
})

test('a loop that is full already has no reserve', () => {
  near(loop(1_000, 0.2, 1)?.stormFactor, 1, 1e-6)
})

test('a loop whose retries carry nothing has no storm in sight', () => {
  const found = loop(100, 0, 1)
  assert.deepEqual([found?.gain, found?.load, found?.stormFactor], [0, 1, Infinity])
})

test('a loop through several nodes counts what comes round to its entry', () => {
  const [found] = retryLoops(
    graphOf(
      [
        { kind: 'source', id: 'in', rate: 100 },
        'conditional ok',
        'buffer again',
        { kind: 'transform', id: 'fix', latencyMs: 10 },
        'sink out',
        'sink dead',
      ],
      [
        'in > ok',
        { from: 'ok', to: 'out', when: 'yes', ratio: 0.8 },
        { from: 'ok', to: 'again', when: 'no', ratio: 0.2, pathType: 'retry' },
        'again > fix',
        { from: 'fix', to: 'ok', when: 'again', ratio: 0.5, pathType: 'retry' },
        { from: 'fix', to: 'dead', pathType: 'dead_letter', ratio: 0.5 },
      ],
    ),
  )
  assert.deepEqual(found?.nodes, ['ok', 'again', 'fix'])
  near(found?.gain, 0.1)
  // Twice as many and `fix` sends all back; from there it gets 100 × 0.2 f / (1 - 0.2 f), which is its 100/s at f = 2.5.
  near(found?.stormFactor, 2.5, 1e-6)
  near(found?.stormGain, 0.5, 1e-6)
  assert.equal(found?.stormNode, 'fix')
})

test('room before a stage: what keeps the share of blocked records below the bound', () => {
  const graph = graphOf(
    [
      { kind: 'source', id: 'in', rate: 50 },
      { kind: 'buffer', id: 'q', capacity: 8 },
      { kind: 'sink', id: 'out', latencyMs: 10 },
    ],
    ['in > q', 'q > out'],
  )
  // Load 0.5, random arrivals and service: 0.5 ^ 10 < 0.001.
  assert.deepEqual(sizing(graph, { recordBytes: 100 }), [
    { node: 'out', load: 0.5, room: 8, needed: 10, bytes: 1_000, enough: false },
  ])
})

test('measured service times that hardly vary need less room, those that vary much more', () => {
  const graph = graphOf(
    [
      { kind: 'source', id: 'in', rate: 80 },
      { kind: 'sink', id: 'out', latencyMs: 10 },
    ],
    ['in > out'],
  )
  const measured = (p99Ms: number): number | undefined => {
    const zero = {
      workers: 1,
      in: 1,
      out: 0,
      done: 1,
      filtered: 0,
      failed: 0,
      deadLettered: 0,
      dropped: 0,
      retried: 0,
      inFlight: 0,
    }
    const shares = { busy: 0.8, starved: 0.2, blocked: 0, limited: 0 }
    const nodes = { out: { ...zero, ...shares, serviceMs: 10, p50Ms: 10, p99Ms } }
    return sizing(graph, { measurements: { seconds: 1, nodes, edges: [] } })[0]?.needed
  }
  const plain = sizing(graph)[0]?.needed ?? 0
  assert.ok((measured(11) ?? 0) < plain)
  assert.ok((measured(200) ?? 0) > plain)
})

test('no room is enough for a stage that is full', () => {
  const [found] = sizing(
    graphOf(
      [
        { kind: 'source', id: 'in', rate: 500 },
        { kind: 'sink', id: 'out', latencyMs: 10 },
      ],
      ['in > out'],
    ),
  )
  assert.equal(found?.needed, Infinity)
  assert.equal(found.enough, false)
})

test('one elimination of a loop serves all gains: the graph is not looked at again', () => {
  fc.assert(
    fc.property(
      digraphs,
      fc.infiniteStream(fc.double({ min: 0, max: 0.05, noNaN: true })),
      ({ size, edges }, random) => {
        const found = resolved(transforms(size, edges))
        const parts = components(found)
        let looks = 0
        const counted = new Proxy(found, { get: (graph, key) => (looks++, Reflect.get(graph, key)) })
        parts.members.forEach((members, index) => {
          if (!parts.isLoop(index)) return
          const pattern = loopPattern(counted, members)
          const [before, outside] = [looks, found.nodes.map(() => random.next().value * 100)]
          for (let turn = 0; turn < 3; turn++) {
            const gains = edges.map(() => random.next().value)
            const rate = Float64Array.from(outside)
            pattern((edge) => gains[edge]!).solve(rate)
            for (const node of members) {
              const arriving = found.in(node).filter((edge) => parts.of(found.from(edge)) === index)
              near(
                rate[node],
                arriving.reduce((sum, edge) => sum + gains[edge]! * rate[found.from(edge)]!, outside[node]!),
              )
            }
          }
          assert.equal(looks, before)
        })
      },
    ),
  )
})

test('what enters a loop below a buffer that drops is what the buffer passes on', () => {
  const graph = graphOf(
    [
      { kind: 'source', id: 'in', rate: 100 },
      { kind: 'buffer', id: 'latest', capacity: 10, whenFull: 'dropOldest' },
      { kind: 'transform', id: 'call', serviceRate: 20 },
      'sink out',
    ],
    ['in > latest', 'latest > call', 'call > out', { from: 'call', to: 'call', pathType: 'retry', ratio: 0.5 }],
  )
  near(retryLoops(graph)[0]?.entering, 10)
})
