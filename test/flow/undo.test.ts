/** Steps that are undone when their request fails, runs out of time or is stopped. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type RunningFlow, runFlow } from 'millrace/flow'
import { until } from '../run/harness.js'
import { type Trip, trip } from './flows.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-undo-'))
const lines = (log: string): string[] => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [])
let running: RunningFlow<Trip, string>

before(async () => {
  running = await runFlow(trip, { restart: { maxRestarts: 10_000, backoffMs: 0 } })
})
after(() => running.drain())

function given(id: string, more: Partial<Trip> = {}): Trip {
  return { id, log: join(folder, id), ...more }
}

test('what was done is undone in reverse order when a later step fails; what was not done is not', async () => {
  const request = running.start(given('fails', { fails: 'car' }), { id: 'fails' })
  await assert.rejects(request.answer, { code: 'REQUEST_FAILED' })
  await request.ended
  assert.deepEqual(lines(join(folder, 'fails')), [
    'hotel of fails',
    'flight of fails',
    'no flight of fails',
    'no hotel of fails',
  ])
  assert.deepEqual(
    request.view().steps!.map(({ step, state }) => [step, state]),
    [
      ['start', 'done'],
      ['hotel', 'undone'],
      ['flight', 'undone'],
      ['car', 'failed'],
    ],
  )
  const early = running.start(given('early', { fails: 'flight' }))
  await early.ended
  assert.deepEqual(lines(join(folder, 'early')), ['hotel of early', 'no hotel of early'])
  assert.equal(await running.execute(given('works')), 'car of works')
  assert.equal(lines(join(folder, 'works')).length, 3)
})

test('a stop is acknowledged once all is undone; an `undo` that fails is called again', async () => {
  const log = join(folder, 'stopped')
  running.start(given('stopped', { waits: 'car', stubborn: true }), { id: 'stopped' })
  await until(() => lines(log).length === 3, 'all is booked')
  await running.stop('stopped')
  assert.deepEqual(lines(log).slice(3), ['no flight of stopped', 'no hotel of stopped'])
})

test('a worker that dies while it undoes is replaced, and nothing stays done', { timeout: 60_000 }, async () => {
  const asked = Array.from({ length: 24 }, (_, n) => given(`d${n}`, { fails: 'car' }))
  const requests = asked.map((trip) => running.start(trip))
  let ended = 0
  for (const { ended: end } of requests) void end.then(() => ended++)
  // As many as an undo is called again after.
  for (let kills = 0; kills < 4 && ended < requests.length; kills++) {
    const before = ended
    await running.pipeline.restartWorker('request.undone', 0)
    await until(() => ended > before || ended === requests.length, 'some have ended', 1)
  }
  await Promise.all(requests.map(({ ended: end }) => end))
  for (const { log, id } of asked) {
    const undone = lines(log).slice(2)
    // The one in progress at a kill may be undone twice, and none before those that came after it.
    assert.deepEqual([...new Set(undone)], [`no flight of ${id}`, `no hotel of ${id}`])
    assert.equal(undone.lastIndexOf(`no flight of ${id}`) < undone.indexOf(`no hotel of ${id}`), true)
  }
})
