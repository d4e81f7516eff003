import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forecast, type GraphData, validate } from 'millrace'
import { randomGraph } from './random-graphs.js'
import { complaintOf, WAITING } from './random.js'
import { wideGraph } from './wide-graphs.js'

/** `npm run rehearse:random` tries others, and longer. */
const SEEDS = [1, 2, 3, 4, 5, 6]
const TRIES = 3

test('random graphs with random options run as predicted', async () => {
  let left = SEEDS.map((seed) => randomGraph(seed))
  let complaints: string[] = []
  // What is not as predicted is tried again, longer and with less company: the machine is not ours alone.
  for (let attempt = 1; attempt <= TRIES && left.length > 0; attempt++) {
    const atOnce = attempt === 1 ? 3 : 1
    const wrong: typeof left = []
    complaints = []
    for (let i = 0; i < left.length; i += atOnce) {
      const some = left.slice(i, i + atOnce)
      const found = await Promise.all(some.map((graph) => complaintOf(graph, 2 * attempt, WAITING)))
      found.forEach((complaint, n) => {
        if (complaint === undefined) return
        complaints.push(complaint)
        wrong.push(some[n]!)
      })
    }
    left = wrong
  }
  assert.deepEqual(complaints, [])
})

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
