/** What users of other engines of flows complain about, each by its issue: what does not happen here. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MillraceError } from 'millrace'
import { MemoryFlowStore, type RequestState, type StoreChange, runFlow } from 'millrace/flow'
import { serveFlows } from 'millrace/flow/server'
import { assertConserved, until } from '../run/harness.js'
import { counted, deaf, eager, flaky, long, narrow, wide } from './complaint-flows.js'
import { said, waiting } from './flows.js'

const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n)
const counts = (): SharedArrayBuffer => new SharedArrayBuffer(16)

test('a join fires though every worker is taken: Trigger.dev #1296, #1272', async () => {
  await using running = await runFlow(narrow)
  const answers = await Promise.all(range(12).map((n) => running.execute({ rows: n, cells: 40 })))
  answers.forEach((rows, n) =>
    assert.deepEqual(
      rows,
      range(n).map((row) => row * 780),
    ),
  )
})

test('a join fires where the same key is given twice: Trigger.dev #2965', async () => {
  await using running = await runFlow(counted, { params: { counts: counts() } })
  const answers = await Promise.all(range(50).map((n) => running.execute(n % 5, { id: `same ${n % 5}` })))
  answers.forEach((answer, n) => assert.equal(answer, 2 * (n % 5)))
})

test('a join fires once all have come, with 6,000 items of which some are tried again: Conductor oss#18, #881, #327', async () => {
  await using running = await runFlow(wide)
  assert.deepEqual(await running.execute(6_000), { count: 6_000, sum: 17_997_000, isOrdered: true })
})

test('whoever asks gets an answer, 2,000 at once, and late too: BullMQ #1558, #1270, #2749; GoFlow #85', async () => {
  await using running = await runFlow(counted, { params: { counts: counts() }, keepRequests: 3_000 })
  const requests = range(2_000).map((n) => running.start(n))
  await Promise.all(requests.map(({ ended }) => ended))
  for (const [n, { answer, id }] of requests.entries()) {
    assert.equal(await answer, 2 * n)
    assert.equal(running.get(id)!.view().answer, 2 * n)
  }
})

test('a state is what is so: running while a worker has it, also a new one: Hatchet #1280', async () => {
  const shared = counts()
  const words = new Int32Array(shared)
  await using running = await runFlow(deaf, { params: { counts: shared }, restart: { maxRestarts: 10, backoffMs: 0 } })
  const request = running.start(1)
  await until(() => words[0] === 1, 'it runs')
  await running.pipeline.restartWorker('work', 0)
  await until(() => words[0] === 2, 'it runs again')
  assert.equal(request.state, 'running')
  letGo(words)
  assert.equal(await request.answer, 1)
  assert.equal(request.state, 'succeeded')
})

test('a request that runs can be stopped, whatever its step does: Hatchet #2573, #211', async () => {
  const shared = counts()
  const words = new Int32Array(shared)
  await using running = await runFlow(deaf, { params: { counts: shared } })
  const request = running.start(1, { id: 'deaf' })
  await until(() => words[0] === 1, 'it runs')
  const stopped = running.stop('deaf')
  // A step that looks at no signal is waited for, and nothing is called after it.
  letGo(words)
  await stopped
  assert.deepEqual([request.state, request.isOpen, words[2]], ['stopped', false, 0])
})

test('a failure is told: BullMQ #2918; and so is a pause: Restate #5079', async () => {
  const shared = counts()
  const words = new Int32Array(shared)
  await using running = await runFlow(deaf, { params: { counts: shared } })
  const seen: RequestState[] = []
  const request = running.start(1, { id: 'told' })
  request.watch(() => seen.push(request.state))
  await until(() => words[0] === 1, 'it runs')
  await running.pause('told')
  assert.equal(seen.at(-1), 'paused')
  letGo(words)
  await running.stop('told')
  assert.equal(seen.at(-1), 'stopped')
  await using failing = await runFlow(eager, { params: { counts: counts() } })
  const failed = failing.start(4)
  const states: RequestState[] = []
  failed.watch(() => states.push(failed.state))
  await failed.ended
  assert.ok(states.includes('failed'))
})

test('the first item that fails ends the others: nestjs/bull #2671', async () => {
  const shared = counts()
  const words = new Int32Array(shared)
  await using running = await runFlow(eager, { params: { counts: shared } })
  const request = running.start(20)
  const error: MillraceError = await request.answer.then(
    () => assert.fail('it is answered'),
    (thrown) => thrown,
  )
  assert.equal((error.cause as Error).message, 'the fourth')
  await request.ended
  // Calls that had begun were aborted, and no step comes after them.
  assert.deepEqual([words[1], words[2]], [words[0]! - 1, 0])
  assertConserved(running.pipeline)
})

test('no step is called twice where nothing crashes: Hatchet #1022, Durable-js #485', async () => {
  const shared = counts()
  await using running = await runFlow(counted, { params: { counts: shared } })
  await Promise.all(range(600).map((n) => running.execute(n)))
  assert.deepEqual([...new Int32Array(shared)], [600, 600, 600, 600])
})

test('a flow that is full takes nothing from its neighbour: DBOS-ts #1302', async () => {
  const params = { counts: new SharedArrayBuffer(12) }
  await using server = await serveFlows([waiting, said], { port: 0, run: { params } })
  const [full, other] = ['waiting', 'said'].map((name) => server.flows.get(name)!)
  const requests = range(200).map(() => full!.start(60_000))
  await until(() => new Int32Array(params.counts)[0] === 4, 'it is full')
  assert.deepEqual(
    await Promise.all(range(50).map((n) => other!.execute(`${n}`))),
    range(50).map((n) => `you said "${n}"`),
  )
  await Promise.all(requests.map(({ id }) => full!.stop(id)))
})

test('a store is asked for what changes alone: no polling, DBOS-go #330', async () => {
  let [saves, changes] = [0, 0]
  class Counting extends MemoryFlowStore {
    override save(given: readonly StoreChange[]): Promise<void> {
      saves++
      changes += given.length
      return super.save(given)
    }
  }
  await using running = await runFlow(deaf, { store: new Counting(), params: { counts: released() } })
  const request = running.start(1)
  await request.ended
  await until(() => changes === 4, 'the request, two steps, and its end are saved')
  const before = saves
  await using busy = await runFlow(counted, { params: { counts: counts() } })
  await Promise.all(range(200).map((n) => busy.execute(n)))
  assert.equal(saves, before)
})

test('12,000 steps and an answer of 4 MB in one request are no history too long: Temporal, Inngest, Durable #81', async () => {
  await using running = await runFlow(long)
  const request = running.start(4_000)
  const answer = await request.answer
  assert.deepEqual([answer.byteLength, answer.every((byte) => byte === 3)], [4_000_000, true])
  await request.ended
  assert.equal(request.view().steps!.length, 12_003)
})

test('a request that failed goes on from where it failed, and does nothing twice: what Step Functions call redrive', async () => {
  const shared = counts()
  const words = new Int32Array(shared)
  const store = new MemoryFlowStore()
  const running = await runFlow(flaky, { params: { counts: shared }, store })
  const failed = running.start(3, { id: 'failed' })
  await assert.rejects(failed.answer, { code: 'REQUEST_FAILED' })
  await failed.ended
  assert.deepEqual([...words], [1, 3, 3, 0])
  words[3] = 1
  const again = running.replay('failed', { id: 'again' })
  assert.equal(running.replay('failed', { id: 'again' }), again)
  assert.deepEqual(await again.answer, [0, 2, 4])
  // What was done is not done again: one step of one item is called.
  assert.deepEqual([...words], [1, 3, 4, 1])
  assert.equal(again.view().replayOf, 'failed')
  assert.equal(failed.state, 'failed')
  await running.drain()
  // What it is a replay of outlives the process.
  await using next = await runFlow(flaky, { params: { counts: shared }, store })
  assert.equal(next.get('again')!.view().replayOf, 'failed')
  const open = next.start(1, { id: 'open' })
  assert.throws(() => next.replay('open'), { code: 'REQUEST_OPEN' })
  assert.throws(() => next.replay('nobody'), { code: 'REQUEST_UNKNOWN' })
  await open.answer
})

function letGo(words: Int32Array): void {
  Atomics.store(words, 1, 1)
  Atomics.notify(words, 1)
}

/** Shared counts of `deaf` that let its step go on at once. */
function released(): SharedArrayBuffer {
  const shared = counts()
  letGo(new Int32Array(shared))
  return shared
}
