import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../run/harness.js'
import { crew } from './threads.js'

test('a worker is idle, starting, ready and gone, and its successor begins the next epoch', async () => {
  const { handles, threads } = crew()
  const [handle] = handles
  assert.equal(handle!.state, 'idle')
  handle!.start()
  assert.deepEqual([handle!.state, handle!.isAlive, handle!.epoch], ['starting', true, 0])
  threads[0]!.last.getReady()
  await until(() => handle!.state === 'ready', 'it is ready', 1)
  assert.equal(handle!.threadId, threads[0]!.last.id)
  threads[0]!.last.leave()
  await handle!.gone
  assert.deepEqual([handle!.state, handle!.isAlive, handle!.threadId], ['gone', false, undefined])
  handle!.start()
  assert.deepEqual([handle!.state, handle!.epoch, threads[0]!.last.epoch], ['starting', 1, 1])
  threads[0]!.last.die()
  await handle!.gone
})

test('a worker that is started twice is an internal error', async () => {
  const { handles, threads } = crew()
  handles[0]!.start()
  assert.throws(() => handles[0]!.start(), { code: 'INTERNAL' })
  threads[0]!.last.die()
  await handles[0]!.gone
})

test('what a thread has said before its end is told before its end', async () => {
  const told: string[] = []
  const { handles, threads } = crew({
    message: (_, { type }) => told.push(type),
    over: () => told.push('over'),
  })
  handles[0]!.start()
  const thread = threads[0]!.last
  thread.getReady()
  thread.say({ type: 'failed', error: { name: 'Error', message: 'a fault', stack: '' } })
  thread.die()
  await handles[0]!.gone
  assert.deepEqual(told, ['started', 'ready', 'failed', 'over'])
  assert.equal(handles[0]!.lastError?.message, 'a fault')
  assert.equal(handles[0]!.state, 'gone')
})

test('a worker that is ended before its thread is known dies as soon as it is', async () => {
  const { handles, threads } = crew()
  handles[0]!.start()
  await handles[0]!.kill()
  assert.deepEqual([handles[0]!.state, handles[0]!.isAlive], ['ending', true])
  threads[0]!.last.getReady()
  await handles[0]!.gone
  assert.equal(handles[0]!.state, 'gone')
})

test('what an earlier life says is not heard', async () => {
  const told: string[] = []
  const { handles, threads } = crew({ message: (_, { type }) => told.push(type) })
  handles[0]!.start()
  const earlier = threads[0]!.last
  handles[0]!.epoch = 1
  earlier.say({ type: 'ready' })
  earlier.die()
  await handles[0]!.gone
  assert.deepEqual(told, [])
})
