import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PARTITIONS, partitionOwners } from '#src/lane/partitions.js'
import { dispatcherOf } from '#src/worker/out/dispatch.js'

test('one worker more takes its share of the partitions, and no other one moves', () => {
  for (let workers = 1; workers < 64; workers++) {
    const before = partitionOwners(workers)
    const after = partitionOwners(workers + 1)
    const moved = after.filter((owner, partition) => owner !== before[partition])
    assert.ok(
      moved.every((owner) => owner === workers),
      'only to the new one',
    )
    assert.equal(moved.length, Math.floor(PARTITIONS / (workers + 1)))
  }
})

test('every worker has as many partitions as any other, but for one', () => {
  for (const workers of [1, 2, 3, 7, 100, 512]) {
    const counts = new Array<number>(workers).fill(0)
    for (const owner of partitionOwners(workers)) counts[owner]!++
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, `${workers} workers: ${counts.join()}`)
  }
})

test('a key visits the lane of the worker that owns its partition, in every worker that sends', () => {
  const lanes = Array.from({ length: 5 }, () => new Set<unknown>())
  const queues = lanes.map((keys) => ({ add: (value: unknown) => void keys.add(value) }))
  for (let sender = 0; sender < 3; sender++) {
    const dispatcher = dispatcherOf(
      { dispatch: 'partition', toNode: 'out' },
      { key: (value) => value as number },
      lanes.length,
      sender,
    )!
    for (let key = 0; key < 1_000; key++) dispatcher.dispatch(key, 0, queues)
  }
  assert.equal(
    lanes.reduce((sum, keys) => sum + keys.size, 0),
    1_000,
  )
})
