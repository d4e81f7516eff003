import assert from 'node:assert/strict'
import { test } from 'node:test'
import { measurements, rehearse } from 'millrace'
import { ledger } from 'millrace/analysis'
import { sleeping, type Shape } from './graphs.js'

/** Several at a time: they sleep, mostly. */
const SIDE_BY_SIDE = 7

async function keepsAll({ graph }: Shape): Promise<void> {
  const pipeline = await rehearse({ ...graph, nodes: graph.nodes.map((node) => ({ ...node, latencyMs: 0 })) })
  await new Promise((resolve) => setTimeout(resolve, 100))
  const report = await pipeline.drain()
  assert.equal(report.abandoned, 0)
  const { entries, holds } = ledger(graph, measurements(pipeline.plan, pipeline.snapshot()))
  assert.ok(holds, `${graph.name}: ${JSON.stringify(entries.filter((entry) => !entry.holds))}`)
}

test('in a rehearsal no record is lost or made up', async () => {
  for (let i = 0; i < sleeping.length; i += SIDE_BY_SIDE)
    await Promise.all(sleeping.slice(i, i + SIDE_BY_SIDE).map(keepsAll))
})
