import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type GraphData, dataflow } from 'millrace'
import { plan } from '#src/plan/plan.js'
import type { ChunkHeader } from '#src/lane/writer.js'
import { mixed } from '#src/lane/ids.js'
import { batchHeader } from '#src/worker/stages/batch-work.js'
import { headerOf, recordIdOf, tokenOf } from '#src/worker/chunk.js'
import { linksThatKeepIds } from '#src/worker/out/keeps-ids.js'
import { header } from '../lane/lane.ts'

/** The id that the acks follow a chunk by. */
function token(head: ChunkHeader): string {
  tokenOf(head)
  return `${mixed.low} ${mixed.high}`
}

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

test('batches that begin with the same record have one id each for acks, and the same one for their handler', () => {
  const chunk = header({ slot: 1, baseLow: 11, baseHigh: 12, first: 5 })
  // The record failed by itself, and then once more.
  const again = headerOf(chunk, 2, 1)
  const headers = [batchHeader([chunk], 2, 0), batchHeader([again], 0, 1), batchHeader([headerOf(again, 0, 2)], 0, 2)]
  assert.equal(new Set(headers.map(token)).size, 3)
  assert.equal(new Set(headers.map((head) => recordIdOf(head, 0))).size, 1)
})
