import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from 'millrace'
import * as graphs from './faults.graphs.js'
import { collect } from './harness.js'

test('`retry.when` is a function of the graph, and says which failures are tried again', async () => {
  const { outputs, report } = await collect(graphs.picky)
  assert.deepEqual((outputs['out'] as number[]).toSorted(), [1, 3, 4])
  assert.equal(report.nodes['fails']!.retried, 4)
  assert.equal(report.failed, 1)
})

test('a start that fails because a thread ended says why it ended', async () => {
  await assert.rejects(run(graphs.exits), (error: Error & { code: string }) => {
    assert.equal(error.code, 'START_FAILED')
    assert.match(error.message, /exit code: 7|exited with code: 7/)
    return true
  })
})
