import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type GraphData, dataflow } from 'millrace'
import { plan } from '#src/plan/plan.js'
import { linksThatKeepIds } from '#src/worker/outlet.js'

/** Nodes to which the first stage's records go under their own ids. */
function kept(graph: GraphData): string[] {
  const { stages, links } = plan(graph)
  const found = linksThatKeepIds(stages.find(({ node }) => node === 'numbers')!)
  return links.filter(({ index }) => found.has(index)).map(({ toNode }) => toNode)
}

const start = dataflow('ids', import.meta.url)
  .source('numbers', { produce: () => [1] })
  .sink('first', { write: () => undefined })
  .sink('second', { write: () => undefined })

test('of copies of a record the first keeps its id, and those to further edges do not', () => {
  assert.deepEqual(kept(start.connect('numbers', 'first').connect('numbers', 'second')), ['first'])
})

test('a record keeps its id through a conditional', () => {
  const graph = start
    .conditional('which', { route: (n: number) => (n > 0 ? 'yes' : 'no') })
    .connect('numbers', 'which')
    .connect('which', 'first', { when: 'yes' })
    .connect('which', 'second', { when: 'no' })
  assert.deepEqual(kept(graph), ['first', 'second'])
})

test('copies of a record that meet again have ids of their own: they would cancel each other', () => {
  const graph = start
    .merge('both')
    .conditional('which', { route: (n: number) => (n > 0 ? 'yes' : 'no') })
    .connect('numbers', 'both')
    .connect('numbers', 'both')
    .connect('both', 'which')
    .connect('which', 'first', { when: 'yes' })
    .connect('which', 'second', { when: 'no' })
  assert.deepEqual(kept(graph), [])
})
