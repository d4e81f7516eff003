import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeGraph } from '#src/analysis/flow/what-if.js'
import { deadlock } from '#src/analysis/loops/deadlock.js'
import fc from 'fast-check'
import type { GraphData } from 'millrace'
import { digraphs, graphOf, transforms } from './graphs.js'

/** A retry loop: in > work > valid, and what is not valid goes through a buffer and `fix` back to `work`. */
function retryLoop({
  window = 1_000,
  concurrency = 1,
  capacity = 500,
  whenFull = 'block',
  maxDemand = 100,
  chunk = 1,
} = {}): GraphData {
  return graphOf(
    [
      { kind: 'source', id: 'in', window, concurrency, chunk },
      'transform work',
      'conditional valid',
      { kind: 'buffer', id: 'again', capacity, whenFull: whenFull as 'block' },
      'transform fix',
      'sink out',
    ],
    [
      'in > work',
      'work > valid',
      { from: 'valid', to: 'out', when: 'yes' },
      { from: 'valid', to: 'again', when: 'no', pathType: 'retry' },
      'again > fix',
      { from: 'fix', to: 'work', maxDemand },
    ],
  )
}

test('a loop whose lanes hold more than the window of its sources is safe', () => {
  // work → fix is one lane with the buffer's 901 records, fix → work one of 100.
  const [loop] = deadlock(retryLoop({ capacity: 901 })).loops
  assert.equal(loop?.reason, 'fits')
  assert.equal(loop.capacity, 1_001)
  assert.equal(loop.inFlight, 1_000)
  assert.ok(deadlock(retryLoop({ capacity: 901 })).safe)
})

test('one record less and it is not, and the smallest capacity that makes it safe is named', () => {
  const found = deadlock(retryLoop({ capacity: 900 }))
  assert.equal(found.safe, false)
  assert.equal(found.loops[0]?.reason, 'tooSmall')
  assert.deepEqual(found.enlarge, [{ edge: 3, buffer: 'again', capacity: 901, bufferCapacity: 901, isSaid: true }])
  assert.match(found.loops[0]?.why ?? '', /set `capacity` of `again` to 901/)
  assert.ok(deadlock(retryLoop({ capacity: 901 })).safe)
})

test('a chunk lies on its lane until all that came of it is sent, so its other records count once less', () => {
  // Each of the two lanes may hold 31 records whose results lie on the other one.
  const found = deadlock(retryLoop({ capacity: 900, chunk: 32 }))
  assert.equal(found.loops[0]?.capacity, 1_000 - 2 * 31)
  assert.ok(deadlock(retryLoop({ capacity: found.enlarge[0]!.bufferCapacity!, chunk: 32 })).safe)
  // What failed is sent by itself.
  const failing = graphOf(
    [{ kind: 'source', id: 'in', window: 64, chunk: 32 }, 'transform work', 'sink out'],
    ['in > work', 'work > out', { from: 'work', to: 'work', pathType: 'retry', maxDemand: 65 }],
  )
  assert.equal(deadlock(failing).loops[0]?.capacity, 65)
  assert.ok(deadlock(failing).safe)
})

const granting = (minDemand: number): GraphData =>
  graphOf(
    [{ kind: 'source', id: 'in', window: 64, chunk: 1 }, 'transform work', 'sink out'],
    ['in > work', 'work > out', { from: 'work', to: 'work', pathType: 'retry', maxDemand: 100, minDemand }],
  )

test('a reader that grants again only when little is left lets its lane hold no more than that for sure', () => {
  const found = deadlock(granting(32))
  assert.deepEqual([found.safe, found.loops[0]?.capacity], [false, 33])
  assert.deepEqual(found.enlarge, [{ edge: 2, capacity: 65, isSaid: true, minDemand: 64 }])
  assert.ok(deadlock(granting(64)).safe)
})

const narrow = (laneBytes: number): GraphData =>
  graphOf(
    [{ kind: 'source', id: 'in', window: 64, chunk: 1 }, 'transform work', 'sink out'],
    ['in > work', 'work > out', { from: 'work', to: 'work', pathType: 'retry', laneBytes }],
  )

test('a lane holds no more than its bytes do', () => {
  assert.deepEqual([deadlock(narrow(4_096)).safe, deadlock(narrow(4_096)).loops[0]?.capacity], [false, 32])
  assert.ok(deadlock(narrow(deadlock(narrow(4_096)).enlarge[0]!.laneBytes!)).safe)
})

const copying = (from: string): GraphData =>
  graphOf(
    [
      { kind: 'source', id: 'in', window: 64, chunk: 1 },
      { kind: 'transform', id: 't', concurrency: 3, dispatch: 'broadcast' },
      'transform again',
      'sink k',
    ],
    [
      'in > t',
      { from: 't', to: 'k', ratio: 0.5 },
      { from, to: 'again', ratio: 0.5 },
      { from: 'again', to: from, ratio: 0.5 },
    ],
  )

test('a stage whose workers all get each record makes copies, so a loop through it may multiply without end', () => {
  assert.equal(deadlock(copying('t')).loops[0]?.reason, 'multiplies')
  // Behind it the loop gets three copies of each record, and makes no more of them.
  const behind = graphOf(
    [
      { kind: 'source', id: 'in', window: 64, chunk: 1 },
      { kind: 'transform', id: 't', concurrency: 3, dispatch: 'broadcast' },
      'transform again',
      'sink k',
    ],
    ['in > t', 't > again', 'again > k', { from: 'again', to: 'again', pathType: 'retry', maxDemand: 100 }],
  )
  assert.equal(deadlock(behind).loops[0]?.inFlight, 192)
})

test('a record that leaves a loop and turns in it at once comes to the next loop any number of times', () => {
  const graph = graphOf(
    ['source in', 'transform a', 'transform b', 'sink out'],
    ['in > a', { from: 'a', to: 'a', ratio: 0.1 }, 'a > b', { from: 'b', to: 'b', pathType: 'retry' }, 'b > out'],
  )
  assert.equal(deadlock(graph).loops.find(({ cycle }) => cycle.nodes[0] === 'b')?.reason, 'multiplies')
})

test('a failure goes to all edges of its path', () => {
  const graph = graphOf(
    ['source in', 'transform a', 'transform b', 'sink out'],
    [
      'in > a',
      'a > out',
      { from: 'a', to: 'a', pathType: 'retry' },
      { from: 'a', to: 'b', pathType: 'retry' },
      'b > a',
    ],
  )
  assert.ok(deadlock(graph).loops.every(({ reason }) => reason === 'multiplies'))
})

test('a lane of which the graph says nothing is sized by the plan, and the loop is safe', () => {
  const graph = retryLoop({ capacity: 100, window: 9_000 })
  const open = changeGraph(graph, { edges: { 5: { maxDemand: undefined } } })
  const found = deadlock(open)
  assert.equal(found.loops[0]?.reason, 'sized')
  assert.deepEqual(found.sized, [{ edge: 5, capacity: 8_901, isSaid: false }])
  assert.ok(found.safe)
})

test('where writers may choose, all workers of a stage must wait before a loop stands still; by key, one is enough', () => {
  const graph = retryLoop({ capacity: 900 })
  // work → fix has 3 rings of 300 each, fix → work 3 rings of 100 each.
  const byDemand = deadlock(changeGraph(graph, { nodes: { fix: { concurrency: 3 } } })).loops[0]
  assert.equal(byDemand?.capacity, 900 + 300)
  const byKey = deadlock(changeGraph(graph, { nodes: { fix: { concurrency: 3, dispatch: 'partition' } } })).loops[0]
  assert.equal(byKey?.capacity, 300 + 100)
  assert.deepEqual([byKey.safe, byKey.enlarge?.capacity, byKey.enlarge?.bufferCapacity], [false, 901, 2_703])
})

test('each worker of a source has its own window', () => {
  assert.equal(deadlock(retryLoop({ concurrency: 3 })).loops[0]?.inFlight, 3_000)
})

test('a buffer that drops never makes a worker wait', () => {
  const found = deadlock(retryLoop({ whenFull: 'dropOldest', capacity: 1 }))
  assert.equal(found.safe, true)
  assert.equal(found.loops[0]?.reason, 'drops')
})

test('what becomes several on the way to the loop counts several times, and a branch only where it may be taken', () => {
  const graph = graphOf(
    [
      { kind: 'source', id: 'in', window: 10, chunk: 1 },
      { kind: 'transform', id: 'split', selectivity: 4 },
      'conditional pick',
      'transform a',
      'sink out',
    ],
    [
      'in > split',
      'split > pick',
      { from: 'pick', to: 'a', when: 'a', ratio: 0.01 },
      { from: 'pick', to: 'out', when: 'b', ratio: 0.99 },
      { from: 'a', to: 'a', pathType: 'retry', maxDemand: 39 },
      'a > out',
    ],
  )
  const found = deadlock(graph)
  assert.equal(found.loops[0]?.inFlight, 40)
  assert.deepEqual(found.enlarge, [{ edge: 4, capacity: 41, isSaid: true }])
})

test('a loop that makes several records of one has no capacity that is enough', () => {
  const crawler = graphOf(
    [
      { kind: 'source', id: 'seeds' },
      'transform fetch',
      { kind: 'transform', id: 'links', selectivity: 20 },
      'sink pages',
    ],
    ['seeds > fetch', 'fetch > pages', 'fetch > links', { from: 'links', to: 'fetch', ratio: 0.01 }],
  )
  const found = deadlock(crawler)
  assert.equal(found.loops[0]?.reason, 'multiplies')
  assert.equal(found.loops[0]?.inFlight, Infinity)
  assert.deepEqual(found.enlarge, [])
})

test('a loop that no source reaches is safe, and so is a graph without loops', () => {
  assert.equal(deadlock(graphOf(['transform a', 'transform b'], ['a > b', 'b > a'])).loops[0]?.reason, 'unreached')
  assert.deepEqual(deadlock(graphOf(['source a', 'sink b'], ['a > b'])), {
    safe: true,
    loops: [],
    reconvergences: [],
    sized: [],
    enlarge: [],
    incomplete: false,
    assumptions: [],
  })
})

test('paths that part and meet again are listed with their fork, and are safe', () => {
  const diamond = graphOf(['source a', 'transform b', 'transform c', 'sink d'], ['a > b', 'a > c', 'b > d', 'c > d'])
  const [met] = deadlock(diamond).reconvergences
  assert.deepEqual([met?.fork, met?.join, met?.safe], ['a', 'd', true])
  const apart = graphOf(['source a', 'source b', 'sink c'], ['a > c', 'b > c'])
  assert.deepEqual(deadlock(apart).reconvergences, [])
})

test('what is said to be enlarged makes every loop safe, on random graphs', () => {
  fc.assert(
    fc.property(digraphs, fc.integer({ min: 1, max: 20 }), ({ size, edges }, maxDemand) => {
      const inner = transforms(size, edges, 'retry')
      const graph: GraphData = {
        ...inner,
        nodes: [{ id: 'in', kind: 'source', window: 37 }, ...inner.nodes],
        edges: [{ from: 'in', to: 'n0' }, ...inner.edges],
      }
      const before = deadlock(graph, { maxDemand })
      const larger = new Map([...before.sized, ...before.enlarge].map(({ edge, capacity }) => [edge, capacity]))
      const fixed = graph.edges.map((edge, index) => {
        const maxDemand = larger.get(index)
        return maxDemand === undefined ? edge : { ...edge, maxDemand }
      })
      const after = deadlock({ ...graph, edges: fixed }, { maxDemand })
      assert.ok(after.loops.every(({ safe, reason }) => safe || reason === 'multiplies'))
    }),
  )
})

test('where there are too many cycles to look at, enlarging every edge that leads back still covers them', () => {
  // Each of six stages sends each record to any one of them.
  const stages = Array.from({ length: 6 }, (_, index) => index)
  const graph = graphOf(
    [{ kind: 'source', id: 'in', window: 50 }, ...stages.flatMap((n) => [`transform n${n}`, `conditional c${n}`])],
    [
      'in > n0',
      ...stages.map((n) => `n${n} > c${n}`),
      ...stages.flatMap((n) => stages.map((to) => ({ from: `c${n}`, to: `n${to}`, when: `${to}` }))),
    ],
  )
  const found = deadlock(graph, { maxDemand: 10, maxCycles: 5 })
  assert.equal(found.incomplete, true)
  assert.equal(found.safe, true)
  const back = graph.edges.flatMap(({ from, to }, edge) =>
    from.startsWith('c') && from.slice(1) >= to.slice(1) ? [edge] : [],
  )
  const covered = new Map(found.sized.map(({ edge, capacity }) => [edge, capacity]))
  assert.ok(back.every((edge) => (covered.get(edge) ?? 0) >= 50))
})
