import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type GraphData } from 'millrace'
import { forecast, validate } from 'millrace/analysis'
import { wideGraph } from './wide-graphs.js'

test('wide random graphs hold what they are to hold, without a problem', () => {
  const graphs = Array.from({ length: 200 }, (_, seed) => wideGraph(seed))
  for (const graph of graphs) {
    const errors = validate(graph).filter(({ severity }) => severity === 'error')
    assert.deepEqual(errors, [], graph.name)
    assert.ok(
      forecast(graph, { seconds: 10, fromSeconds: 5 }).nodes.every((node) => node.in >= 0),
      graph.name,
    )
  }
  const has = (holds: (graph: GraphData) => boolean): boolean => graphs.some(holds)
  assert.ok(has(({ nodes }) => nodes.filter(({ kind }) => kind === 'source').length > 1))
  assert.ok(has(({ nodes }) => nodes.some(({ kind }) => kind === 'conditional')))
  assert.ok(has(({ nodes }) => nodes.some(({ dispatch }) => dispatch === 'partition')))
  for (const policy of ['dropNewest', 'dropOldest']) {
    assert.ok(has(({ nodes }) => nodes.some(({ whenFull }) => whenFull === policy)))
  }
})
