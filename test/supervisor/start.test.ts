import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MillraceError } from 'millrace'
import { Start } from '#src/supervisor/start.js'
import { type Crew, crew } from './threads.js'

/** A start over fake threads, which hears what their workers tell, as in a pipeline. */
function starting(deadlineMs = 60_000): Crew & { start: Start; end: () => Promise<void> } {
  const made = crew({
    message: (handle, { type }) => void (type === 'ready' && start.ready(handle)),
    over: (handle, error) => start.over(handle, error),
  })
  const start = new Start(made.handles, deadlineMs)
  const end = async (): Promise<void> => {
    for (const threads of made.threads) await threads.destroy()
    await Promise.all(made.handles.map(({ gone }) => gone))
  }
  return { ...made, start, end }
}

const failureOf = ({ outcome }: Start): Pick<MillraceError, 'code' | 'detail'> => {
  assert.ok(outcome instanceof MillraceError)
  return outcome
}

test('a start is over when the last worker is ready', async () => {
  const { start, threads, end } = starting()
  start.begin()
  for (const { last } of threads) {
    assert.equal(start.outcome, undefined)
    last.getReady()
  }
  await start.settled
  assert.equal(start.outcome, 'ready')
  await end()
})

test('a worker that refuses fails the start, with its node, the step and the error', async () => {
  const { start, threads, end } = starting()
  start.begin()
  const { last } = threads[1]!
  last.say({ type: 'refused', step: 'load', error: { name: 'Error', message: 'no such module', stack: '' } })
  last.leave()
  await start.settled
  const { code, detail } = failureOf(start)
  assert.equal(code, 'START_FAILED')
  assert.deepEqual(detail, { node: 'work', worker: 0, step: 'load', reason: 'no such module' })
  await end()
})

test('a thread that ends before its worker is ready fails the start, with what it said last', async () => {
  const { start, threads, end } = starting()
  start.begin()
  const { last } = threads[2]!
  last.say({ type: 'failed', error: { name: 'Error', message: 'out of memory', stack: '' } })
  last.die()
  await start.settled
  assert.deepEqual(failureOf(start).detail, { node: 'save', worker: 0, step: 'setup', reason: 'out of memory' })
  await end()
})

test('after the deadline the start is out of time, and the error names who is late', async () => {
  const { start, threads, end } = starting(20)
  start.begin()
  threads[0]!.last.getReady()
  await start.settled
  const { code, detail } = failureOf(start)
  assert.equal(code, 'START_TIMEOUT')
  assert.deepEqual(detail, { nodes: ['work', 'save'], startDeadlineMs: 20 })
  await end()
})

test('the first failure counts, and an abort before it counts more', async () => {
  const { start, threads, end } = starting()
  start.begin()
  start.abort()
  threads[0]!.last.die()
  await start.settled
  assert.equal(start.outcome, 'aborted')
  await end()
  assert.equal(start.outcome, 'aborted')
})

test('a worker that is over between the last `ready` and the run fails the start', async () => {
  const { start, threads, handles, end } = starting()
  start.begin()
  for (const { last } of threads) last.getReady()
  await start.settled
  threads[1]!.last.die(new Error('too late'))
  await handles[1]!.gone
  assert.equal(failureOf(start).code, 'START_FAILED')
  await end()
})
