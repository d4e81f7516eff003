import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { monotonicMs } from '#src/time.js'
import { collect } from '../run/harness.js'
import * as graphs from './graphs.js'

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

for (const [what, graph] of [
  ['a record', graphs.steppedRecords],
  ['an open call', graphs.steppedCalls],
  ['a batch', graphs.steppedBatches],
  ['a batch by key', graphs.steppedKeys],
] as const) {
  test(`a wall clock that is set back does not hold up the next attempt of ${what}`, { timeout: 60_000 }, async () => {
    const { outputs, report } = await collect(graph)
    assert.deepEqual(
      (outputs['out'] as number[]).toSorted((a, b) => a - b),
      upTo(20),
    )
    assert.ok(report.nodes['work']!.retried >= 2)
  })
}

test('all threads of a process read one monotonic clock', async () => {
  const code = `
    import { parentPort, workerData } from 'node:worker_threads'
    const { monotonicMs } = await import(workerData)
    parentPort.postMessage(monotonicMs())`
  const thread = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
    workerData: import.meta.resolve('#src/time.js'),
  })
  const before = monotonicMs()
  const there = await new Promise<number>((resolve) => thread.once('message', resolve))
  const after = monotonicMs()
  await thread.terminate()
  assert.ok(before < there && there < after, `${before} < ${there} < ${after}`)
})
