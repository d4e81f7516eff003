/** Requests: their states, ends, deadlines and ids. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MillraceError } from 'millrace'
import { type RunningFlow, runFlow } from 'millrace/flow'
import { until } from '../run/harness.js'
import { ABORTED, BEGAN, WENT_ON, called, diamond, hooked, said, waiting } from './flows.js'

const MINUTE = 60_000

async function waits(): Promise<{ running: RunningFlow<number, number>; counts: Int32Array }> {
  const counts = new SharedArrayBuffer(12)
  const running = await runFlow(waiting, { params: { counts } })
  return { running, counts: new Int32Array(counts) }
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'answered',
    (error: MillraceError) => error.code,
  )

test('a request is queued, runs, and succeeds or fails; its view says when', async () => {
  await using running = await runFlow(diamond)
  const request = running.start({ n: 1 })
  assert.equal(request.state, 'running')
  await request.answer
  await request.ended
  const { id, flow, state, createdAt, startedAt, endedAt, answer } = request.view()
  assert.deepEqual([id, flow, state, request.isOpen], [request.id, 'diamond', 'succeeded', false])
  assert.deepEqual(answer, { n: 1, left: 2, right: 2, sum: 4 })
  assert.ok(createdAt <= startedAt! && startedAt! <= endedAt!)
  const failed = running.start({ n: 2, fails: 'left' })
  await codeOf(failed.answer)
  assert.equal(failed.view().state, 'failed')
  assert.equal((failed.view().error as MillraceError).code, 'REQUEST_FAILED')
  assert.deepEqual(
    running.list({ state: 'failed' }).map((each) => each.id),
    [failed.id],
  )
  assert.deepEqual(
    running.list().map((each) => each.id),
    [failed.id, request.id],
  )
})

test('no more requests than `maxRequests` are open, and the others wait in their order', async () => {
  const { running, counts } = await waits()
  const requests = Array.from({ length: 6 }, () => running.start(MINUTE))
  await until(() => counts[BEGAN] === 4, 'four began')
  assert.deepEqual(
    requests.map(({ state }) => state),
    ['running', 'running', 'running', 'running', 'queued', 'queued'],
  )
  await running.stop(requests[5]!.id)
  assert.equal(requests[5]!.isOpen, false)
  await running.stop(requests[0]!.id)
  await until(() => requests[4]!.state === 'running', 'the next one runs')
  await until(() => counts[BEGAN] === 5, 'it began')
  await Promise.all(requests.map(({ id }) => running.stop(id)))
  assert.deepEqual(new Set(requests.map(({ state }) => state)), new Set(['stopped']))
  assert.deepEqual([...counts], [5, 5, 0])
  await running.drain()
})

test('a stop is acknowledged when nothing of the request is left: no step of it is called after that', async () => {
  const { running, counts } = await waits()
  const request = running.start(MINUTE)
  await until(() => counts[BEGAN] === 1, 'it began')
  const answer = codeOf(request.answer)
  await running.stop(request.id)
  await running.stop(request.id)
  assert.equal(await answer, 'REQUEST_STOPPED')
  const { nodes } = running.pipeline.snapshot()
  assert.ok(Object.values(nodes).every(({ inFlight }) => inFlight === 0))
  // The next one shows that the worker has gone on, and counts nothing for the stopped one.
  assert.equal(await running.execute(0), 0)
  assert.deepEqual([counts[ABORTED], counts[WENT_ON]], [1, 1])
  await assert.rejects(running.stop('nobody'), { code: 'REQUEST_UNKNOWN' })
  await running.drain()
})

test('a request that runs out of time is refused at once and stopped; so is one whose caller goes away', async () => {
  const { running, counts } = await waits()
  const late = running.start(MINUTE, { timeoutMs: 20 })
  assert.equal(await codeOf(late.answer), 'REQUEST_TIMED_OUT')
  assert.equal(late.state, 'timedOut')
  await late.ended
  // Whether its step had begun is a matter of time; if so, it was aborted.
  const [began, aborted] = [counts[BEGAN]!, counts[ABORTED]!]
  assert.equal(aborted, began)
  const caller = new AbortController()
  const left = running.execute(MINUTE, { signal: caller.signal })
  await until(() => counts[BEGAN]! > began, 'it began')
  const reason = new Error('gone')
  caller.abort(reason)
  await assert.rejects(left, reason)
  await until(() => counts[ABORTED]! > aborted, 'its call was aborted')
  await assert.rejects(running.execute(1, { signal: AbortSignal.abort(reason) }), reason)
  assert.equal(await running.execute(1), 1)
  assert.equal(counts[WENT_ON], 1)
  await running.drain()
})

test('a second request with the same id is the first one', async () => {
  await using running = await runFlow(said)
  const first = running.start('a', { id: 'same' })
  const second = running.start('b', { id: 'same' })
  assert.equal(first, second)
  assert.equal(await running.execute('c', { id: 'same' }), 'you said "a"')
  assert.equal(running.pipeline.snapshot().nodes['say']!.in, 1)
})

test('the last requests that have ended are known, and older ones forgotten', async () => {
  await using running = await runFlow(said, { keepRequests: 2 })
  for (const id of ['a', 'b', 'c']) await running.start(id, { id }).ended
  assert.deepEqual(
    running.list().map(({ id }) => id),
    ['c', 'b'],
  )
  assert.equal(running.get('a'), undefined)
})

test('a drain answers what was asked before it, also what waits, and refuses what comes later', async () => {
  const { running } = await waits()
  const requests = Array.from({ length: 9 }, (_, n) => running.start(n))
  const drained = running.drain()
  assert.equal(await codeOf(running.execute(1)), 'PIPELINE_NOT_RUNNING')
  assert.deepEqual(await Promise.all(requests.map(({ answer }) => answer)), [0, 1, 2, 3, 4, 5, 6, 7, 8])
  assert.equal((await drained).acked, 9)
})

test('a pipeline that stops refuses every open request, and hangs none', async () => {
  const { running, counts } = await waits()
  const requests = Array.from({ length: 6 }, () => running.start(MINUTE))
  await until(() => counts[BEGAN] === 4, 'four began')
  await running.pipeline.stop()
  const codes = await Promise.all(requests.map(({ answer }) => codeOf(answer)))
  assert.deepEqual(codes.toSorted(), [
    'PIPELINE_NOT_RUNNING',
    'PIPELINE_NOT_RUNNING',
    ...Array.from({ length: 4 }, () => 'REQUEST_FAILED'),
  ])
})

test('an input that no codec takes fails its request', async () => {
  await using running = await runFlow(said)
  assert.equal(await codeOf(running.execute((() => 1) as never)), 'REQUEST_FAILED')
  assert.equal(await running.execute('x'), 'you said "x"')
})

test('options of a request are checked', async () => {
  await using running = await runFlow(said)
  for (const options of [{ id: '' }, { id: 4 }, { timeoutMs: 0 }, { timeoutMs: NaN }, { signal: {} }])
    assert.throws(() => running.start('x', options as never), { code: 'OPTIONS_INVALID' })
})

test('a flow answers for a request that fails, and `finally` is called once for each, however it ended', async () => {
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
  await using running = await runFlow(hooked)
  const asked = ['works', 'fails', 'hopeless'] as const
  const requests = asked.map((wish) => running.start(wish, { id: wish }))
  assert.equal(await requests[0]!.answer, 'works')
  assert.equal(await requests[1]!.answer, 'instead')
  await assert.rejects(requests[2]!.answer, { name: 'RangeError', message: 'no answer' })
  assert.equal(await running.execute('waits', { id: 'late', timeoutMs: 20 }), 'instead')
  const stopped = running.start('waits', { id: 'stopped' })
  await running.stop('stopped')
  assert.equal(await codeOf(stopped.answer), 'REQUEST_STOPPED')
  await Promise.all([...requests, running.get('late')!].map(({ ended }) => ended))
  assert.deepEqual(called.toSorted(), [
    'fails failed',
    'finally fails failed true',
    'finally hopeless failed true',
    'finally late timedOut true',
    'finally stopped stopped true',
    'finally works succeeded true',
    'hopeless failed',
    'late timedOut',
  ])
  assert.match((await warned).message, /finally itself/)
})
