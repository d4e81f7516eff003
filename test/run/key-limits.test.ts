import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from 'millrace'
import { assertConserved, until } from './harness.js'
import * as graphs from './key-limits-graphs.js'

test('a limit by key is changed while it runs, and a drain lifts it', async () => {
  for (const by of ['set', 'lift'] as const) {
    const pipeline = await run(graphs.slow)
    const records: unknown[] = []
    const read = (async () => {
      for await (const record of pipeline.output('out')) records.push(record)
    })()
    assert.equal(pipeline.rateLimit('work'), 0.001)
    await until(() => records.length === 10, 'one of each key')
    await until(() => pipeline.snapshot().stages['work']!.limited > 0, 'the rest waits for its limit')
    assert.equal(records.length, 10)
    if (by === 'set') pipeline.setRateLimit('work', Infinity)
    const report = by === 'set' ? await pipeline.finished : await pipeline.drain({ limits: 'lift' })
    await read
    assert.equal(records.length, by === 'set' ? 1_000 : report.acked)
    assert.ok(report.acked > 10 && report.failed === 0)
    assertConserved(pipeline)
  }
})
