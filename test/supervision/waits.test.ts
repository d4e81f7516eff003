import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from 'millrace'
import * as graphs from './waits-graphs.js'

for (const graph of [graphs.batch, graphs.keyed, graphs.retry]) {
  test(`a pipeline that waits on purpose does not tell that it stands (${graph.name})`, async () => {
    const pipeline = await run(graph, { stallMs: 100 })
    let stalled = 0
    pipeline.events.on('pipeline.stalled', () => stalled++)
    const receipts = [await pipeline.push('in', 1), await pipeline.push('in', 2)]
    await Promise.all(receipts.map(({ done }) => done))
    await pipeline.drain()
    assert.equal(stalled, 0)
  })
}

test('one whose handler does not answer does', async () => {
  const pipeline = await run(graphs.stands, { stallMs: 100 })
  const stalled = new Promise((resolve) => pipeline.events.on('pipeline.stalled', resolve))
  await pipeline.push('in', 1)
  await stalled
  await pipeline.stop()
})
