/** Pause and resume: what runs ends, nothing else starts, and nothing is done twice. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runFlow } from 'millrace/flow'
import { assertConserved, until } from '../run/harness.js'
import { kept, waiting } from './flows.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-pause-'))
const lines = (log: string): string[] => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [])
const hold = (log: string, step: string): void => writeFileSync(`${log}.${step}`, '')
const letGo = (log: string, step: string): void => rmSync(`${log}.${step}`)

test('a pause lets the step that runs end and starts no other; the request goes on where it was, and does nothing twice', async () => {
  await using running = await runFlow(kept)
  const log = join(folder, 'one')
  hold(log, 'right')
  const request = running.start({ log, items: 3 }, { id: 'one' })
  await until(() => lines(log).length === 3, 'both sides began')
  await Promise.all([running.pause('one'), running.pause('one')])
  assert.equal(request.state, 'paused')
  letGo(log, 'right')
  await until(() => running.pipeline.snapshot().nodes['request']!.inFlight === 0, 'nothing of it is in the pipeline')
  assert.deepEqual(lines(log).toSorted(), ['first', 'left', 'right'])
  assert.deepEqual(
    request
      .view()
      .steps!.map(({ step }) => step)
      .toSorted(),
    ['first', 'left', 'right'],
  )
  await Promise.all([running.resume('one'), running.resume('one')])
  assert.deepEqual(await request.answer, [0, 1, 2])
  assert.deepEqual(lines(log).toSorted(), ['first', 'item0', 'item1', 'item2', 'last', 'left', 'right'])
  await assert.rejects(running.pause('one'), { code: 'REQUEST_ENDED' })
  await assert.rejects(running.resume('nobody'), { code: 'REQUEST_UNKNOWN' })
  assertConserved(running.pipeline)
})

test('a pause amid items keeps those that are done', async () => {
  await using running = await runFlow(kept)
  const log = join(folder, 'items')
  hold(log, 'item2')
  const request = running.start({ log, items: 5 }, { id: 'items' })
  await until(() => lines(log).includes('item4'), 'items began')
  await running.pause('items')
  letGo(log, 'item2')
  await until(() => running.pipeline.snapshot().nodes['request']!.inFlight === 0, 'nothing of it is in the pipeline')
  await running.resume('items')
  assert.deepEqual(await request.answer, [0, 1, 2, 3, 4])
  assert.equal(new Set(lines(log)).size, lines(log).length, lines(log).join())
})

test('paused and resumed in any order and number, many at once, each is answered once and no step is done twice', async () => {
  await using running = await runFlow(kept)
  const requests = Array.from({ length: 24 }, (_, n) =>
    running.start({ log: join(folder, `many${n}`), items: (n % 5) + 1 }),
  )
  const open = (): typeof requests => requests.filter(({ isOpen, state }) => isOpen && !['succeeded'].includes(state))
  for (let turns = 0; open().length > 0 && turns < 200; turns++) {
    for (const [n, { id }] of open().entries()) {
      const call = (n + turns) % 3 === 0 ? running.pause(id) : running.resume(id)
      await call.catch((error: { code: string }) => assert.equal(error.code, 'REQUEST_ENDED'))
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  for (const { id } of open()) await running.resume(id).catch(() => undefined)
  for (const [n, { answer }] of requests.entries()) {
    assert.deepEqual(
      await answer,
      Array.from({ length: (n % 5) + 1 }, (_, i) => i),
    )
    const done = lines(join(folder, `many${n}`))
    assert.equal(new Set(done).size, done.length, done.join())
  }
})

test('a queued request is paused before it starts; a paused one is stopped, runs out of time, or waits behind a drain', async () => {
  const running = await runFlow(kept)
  const held = Array.from({ length: 8 }, (_, n) => join(folder, `held${n}`))
  for (const log of held) hold(log, 'first')
  for (const log of held) running.start({ log, items: 1 })
  const log = join(folder, 'queued')
  const queued = running.start({ log, items: 1 }, { id: 'queued', timeoutMs: 60_000 })
  assert.equal(queued.state, 'queued')
  await running.pause('queued')
  for (const each of held) letGo(each, 'first')
  await until(() => running.open === 1, 'the others have ended')
  assert.deepEqual([queued.state, lines(log)], ['paused', []])
  await running.stop('queued')
  assert.equal(queued.state, 'stopped')
  const late = running.start({ log, items: 1 }, { id: 'late', timeoutMs: 500 })
  await running.pause('late')
  await assert.rejects(late.answer, { code: 'REQUEST_TIMED_OUT' })
  await late.ended
  const left = running.start({ log, items: 1 }, { id: 'left' })
  await running.pause('left')
  await running.drain()
  await assert.rejects(left.answer, { code: 'PIPELINE_NOT_RUNNING' })
})

test('a flow that does not keep its steps cannot pause', async () => {
  await using running = await runFlow(waiting, { params: { counts: new SharedArrayBuffer(12) } })
  running.start(10, { id: 'x' })
  await assert.rejects(running.pause('x'), { code: 'STEPS_NOT_KEPT' })
})
