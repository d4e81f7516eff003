import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type PipelineEvent, run } from 'millrace'
import { until } from './harness.js'
import * as graphs from './scale-graphs.js'

test('a stage with `scale` has the fewest workers that keep up, while its load doubles and halves', async (t) => {
  const pipeline = await run(graphs.resting)
  const changed: PipelineEvent[] = []
  const judged: PipelineEvent[] = []
  pipeline.events.on('scale.changed', (event) => changed.push(event))
  pipeline.events.on('scale.judged', (event) => judged.push(event))
  const scale = () => pipeline.scaling()[0]!
  assert.deepEqual(
    { workers: scale().workers, min: scale().min, max: scale().max, reason: scale().reason },
    { workers: 1, min: 1, max: 4, reason: 'unknown' },
  )
  await until(() => scale().reason === 'fits', 'one worker is enough', 50)
  pipeline.setRateLimit('in', 100)
  await until(() => scale().workers >= 2, 'the load has doubled', 50)
  await until(() => judged.length > 0 && scale().reason === 'fits', 'it keeps up', 50)
  pipeline.setRateLimit('in', 50)
  await until(() => scale().workers === 1, 'the load has halved', 50)
  await until(() => judged.length === changed.length, 'what that brought is known', 50)
  for (const { from, to, reason, load, perSecond, promisedPerSecond } of changed)
    t.diagnostic(JSON.stringify({ from, to, reason, load, perSecond, promisedPerSecond }))
  for (const { by, promised, brought, kept } of judged) t.diagnostic(JSON.stringify({ by, promised, brought, kept }))
  assert.ok(changed.length <= 4, 'it does not swing')
  const { outcome, failed } = await pipeline.drain()
  assert.deepEqual({ outcome, failed }, { outcome: 'drained', failed: 0 })
})
