import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DRAINING, NACKING, STOPPING } from '#src/memory/control.js'
import { Stop } from '#src/supervisor/stop.js'
import { until } from '../run/harness.js'
import { type Crew, crew } from './threads.js'

async function stopping(deadlineMs = 60_000): Promise<Crew & { stop: Stop; told: string[] }> {
  const told: string[] = []
  const made = crew({ over: ({ stage }) => void told.push(`${stage.node} is over`) })
  await made.begin()
  const host = { close: () => void told.push('host closes'), left: async () => void told.push('host leaves') }
  return { ...made, told, stop: new Stop({ ...made, host, deadlineMs }) }
}

test('all leave in order: the stages, the embedder’s thread, and at last the source that has outcomes to tell', async () => {
  const { stop, told, threads } = await stopping()
  const [source, work, save] = threads.map(({ last }) => last)
  const left = stop.leave()
  assert.equal(source!.phase, STOPPING)
  work!.leave()
  save!.leave()
  await until(() => source!.phase === NACKING, 'the phase is nacking', 1)
  source!.leave()
  await left
  assert.deepEqual(told.toSorted(), ['host leaves', 'numbers is over', 'save is over', 'work is over'])
  assert.deepEqual(told.slice(2), ['host leaves', 'numbers is over'])
  assert.equal(stop.isLate, false)
})

test('threads that have not left by the deadline are ended, and the stop says that it was late', async () => {
  const { stop, threads, handles } = await stopping()
  const left = stop.leave(50)
  threads[1]!.last.leave()
  await left
  await Promise.all(handles.map(({ gone }) => gone))
  assert.equal(stop.isLate, true)
})

test('a drain closes the sources, and leaves by itself when its deadline but for the time to leave is over', async () => {
  const { stop, told, threads } = await stopping()
  let left: Promise<void> | undefined
  const onLate = (): void => void (left = stop.leave())
  stop.drain(onLate, 50)
  assert.equal(threads[0]!.last.phase, DRAINING)
  assert.deepEqual(told, ['host closes'])
  await until(() => left !== undefined, 'the drain is late', 1)
  for (const { last } of threads) last.leave()
  await left
  assert.equal(stop.isLate, true)
})

test('one deadline holds for draining and leaving: a worker that does not leave after a drain is ended by then', async () => {
  const { stop, threads, handles } = await stopping()
  stop.drain(() => assert.fail('all is drained in time'), 400)
  const left = stop.leave()
  threads[1]!.last.leave()
  // The deadline of the run is a minute: the test would not be over.
  await left
  await Promise.all(handles.map(({ gone }) => gone))
  assert.equal(stop.isLate, true)
})

test('a stop without workers of pools waits for the embedder’s thread only', async () => {
  const { plan, memory } = crew()
  let hasLeft = false
  const host = { close: () => undefined, left: async () => void (hasLeft = true) }
  const stop = new Stop({ plan, memory, handles: [], host, deadlineMs: 60_000 })
  await stop.leave()
  assert.deepEqual([hasLeft, stop.isLate], [true, false])
})
