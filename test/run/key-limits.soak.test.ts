import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { run } from 'millrace'
import { until } from './harness.js'
import * as graphs from './key-limits-graphs.js'

const SECONDS = 10

for (const [workers, graph] of [
  [1, graphs.timedByOne],
  [2, graphs.timedByTwo],
] as const) {
  test(`ten keys of 50 records/s each hold that within 1 % over ten seconds, with ${workers} workers`, async (t) => {
    const counts = new Int32Array(new SharedArrayBuffer(40))
    const pipeline = await run(graph, { params: { counts } })
    await until(() => counts.every((count) => count > 20), 'records flow')
    const start = performance.now()
    const before = [...counts]
    await sleep(SECONDS * 1_000)
    const after = [...counts]
    const seconds = (performance.now() - start) / 1_000
    await pipeline.stop()
    const rates = after.map((count, key) => (count - before[key]!) / seconds)
    t.diagnostic(rates.map((rate) => rate.toFixed(2)).join(' '))
    // One record more or less at either end is none of the limit's.
    for (const rate of rates) assert.ok(Math.abs(rate - 50) <= 0.5 + 1 / seconds, `${rate} records/s`)
  })
}
