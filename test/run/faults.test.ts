import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from 'millrace'
import * as graphs from './faults.graphs.js'
import { collect } from './harness.js'

const byNumber = (a: number, b: number): number => a - b

test('`retry.when` is a function of the graph, and says which failures are tried again', async () => {
  const { outputs, report } = await collect(graphs.picky)
  assert.deepEqual((outputs['out'] as number[]).sort(byNumber), [1, 3, 4])
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

test('every call has a context of its own, however many are open: attempt, id, emit and fail', async () => {
  const { outputs, report } = await collect(graphs.contexts)
  const seen = outputs['seen'] as { n: number; attempt: number; id: string }[]
  assert.equal(new Set(seen.map(({ n }) => n)).size, 60)
  assert.equal(new Set(seen.map(({ id }) => id)).size, 60)
  assert.ok(seen.every(({ n, attempt }) => attempt === (n % 3 === 0 ? 2 : 1)))
  const batches = outputs['batches'] as { batch: number[] }[]
  const all = Array.from({ length: 60 }, (_, n) => n)
  assert.deepEqual(batches.flatMap(({ batch }) => batch).sort(byNumber), all)
  assert.deepEqual(
    (outputs['out'] as number[]).sort(byNumber),
    all.filter((n) => n % 10 !== 7),
  )
  const failed = outputs['failed'] as { input: number }[]
  assert.deepEqual(
    failed.map(({ input }) => input).sort(byNumber),
    all.filter((n) => n % 10 === 7),
  )
  assert.equal(report.acked, 60)
})

test('a source that dies while a chunk is half sent takes it up again, and its slot ends', async () => {
  const pipeline = await run(graphs.heavy)
  const due = [40, 120, 200, 280]
  const records: unknown[] = []
  for await (const n of pipeline.output('out')) {
    records.push(n)
    if (records.length > due[0]!) {
      due.shift()
      void pipeline.restartWorker('blocks', 0)
    }
  }
  const report = await pipeline.finished
  assert.equal(new Set(records).size, 400)
  assert.equal(records.length, 400)
  assert.equal(report.acked, 400)
})

test('a stash without room holds records up, and no attempt is left out', async () => {
  const { outputs, report } = await collect(graphs.stubbornRecords, { stashBytes: 4_096 })
  assert.deepEqual(
    (outputs['out'] as number[]).sort(byNumber),
    Array.from({ length: 600 }, (_, n) => n),
  )
  assert.equal(report.nodes['fails']!.retried, 1_200)
})

test('`ordered` holds for chunks that are too large for the stash, retries included', async () => {
  const { outputs, report } = await collect(graphs.stubbornInOrder, { stashBytes: 4_096 })
  assert.deepEqual(
    outputs['out'],
    Array.from({ length: 600 }, (_, n) => n),
  )
  assert.equal(report.nodes['fails']!.retried, 1_200)
})

test('a batch by key that is too large for the stash waits on its lane for its next attempt', async () => {
  const { outputs, report } = await collect(graphs.largeByKey, { stashBytes: 4_096 })
  assert.deepEqual(
    (outputs['out'] as number[]).sort(byNumber),
    Array.from({ length: 20 }, (_, n) => n),
  )
  assert.equal(report.nodes['fails']!.retried, 40)
})

test('a source that has ended in a drain takes no record more, however late its iterator makes one', async () => {
  const pipeline = await run(graphs.late)
  const made = (): number[] => ['late', 'slow'].map((node) => pipeline.snapshot().nodes[node]!.in)
  while (made().includes(0)) await new Promise((resolve) => setTimeout(resolve, 5))
  const drained = pipeline.drain()
  const records: unknown[] = []
  for await (const record of pipeline.output('out')) records.push(record)
  const { acked, abandoned } = await drained
  assert.deepEqual(new Set(records), new Set(['early', 'slow']))
  assert.deepEqual({ acked, abandoned }, { acked: 2, abandoned: 0 })
})

test('an input whose outputs are refused fails once, however many they are, and no account goes below nothing', async () => {
  const { report } = await collect(graphs.refused)
  const { many, batches } = report.nodes
  assert.deepEqual([many!.in, many!.done, many!.failed], [3, 2, 1])
  assert.deepEqual([batches!.in, batches!.done, batches!.failed], [2, 0, 2])
})

test('each call of `fail` fails one record of the batch that is equal; without one it fails nothing', async () => {
  const { report, outputs } = await collect(graphs.equals)
  const { some } = report.nodes
  assert.deepEqual([some!.in, some!.done, some!.failed], [3, 2, 1])
  assert.deepEqual(outputs['out'], [1, 2])
})

test('the portions of a chunk count each by itself: nothing is acked while some of it is under way', async () => {
  const pipeline = await run(graphs.portions)
  const source = () => pipeline.snapshot().nodes['numbers']!
  // The last record comes to nothing, and the one in the middle of the first chunk did before it.
  while (source().done === 0) await sleep(1)
  assert.deepEqual([source().done, source().inFlight], [1, 1])
  const records: unknown[] = []
  for await (const record of pipeline.output('out')) records.push(record)
  assert.deepEqual(records, [0, 2])
  assert.equal((await pipeline.finished).acked, 2)
})
