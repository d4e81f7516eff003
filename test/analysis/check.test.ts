import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type GraphData } from 'millrace'
import { check } from 'millrace/analysis'
import { graphOf } from './graphs.js'
import { measured } from './measurements.js'

const loop: GraphData = graphOf(
  [{ kind: 'source', id: 'in', rate: 10, window: 100 }, { kind: 'transform', id: 'work', latencyMs: 5 }, 'sink out'],
  ['in > work', { from: 'work', to: 'work', pathType: 'retry', ratio: 0.1, maxDemand: 99 }, 'work > out'],
)

test('a loop that may block itself is a problem that names the edge and the capacity', () => {
  const [first, ...others] = check(loop).problems
  assert.deepEqual(others, [])
  assert.equal(first?.code, 'LOOP_MAY_BLOCK')
  assert.equal(first.edge, 1)
  assert.match(first.message, /`work` → `work` may block itself.*`maxDemand` of edge `work` → `work` to 101/)
})

test('structure and loops come with the problems', () => {
  const found = check(loop)
  assert.deepEqual(found.structure.sources, ['in'])
  assert.equal(found.deadlock.safe, false)
})

test('figures that drifted more than the tolerance are problems, with the place and both values', () => {
  const measurements = measured(loop, { nodes: { work: { serviceMs: 6 } } })
  const problems = check(loop, { measurements }).problems.filter(({ code }) => code === 'DECLARED_DRIFTED')
  assert.equal(problems.length, 1)
  assert.deepEqual([problems[0]?.node, problems[0]?.option], ['work', 'latencyMs'])
  assert.match(problems[0]?.message ?? '', /declares `latencyMs` 5, and 6 was measured/)
  assert.equal(
    check(loop, { measurements, tolerance: 0.3 }).problems.filter(({ code }) => code === 'DECLARED_DRIFTED').length,
    0,
  )
})
