/** Flows that are asked by themselves: at times, at multiples, once; what was missed, and what overlaps. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { MemoryFlowStore, type RunningFlow, runFlow, schedule } from 'millrace/flow'
import { until } from '../run/harness.js'
import { type Kept, kept, said, waiting } from './flows.js'

const HOUR = 3_600_000
const folder = mkdtempSync(join(tmpdir(), 'millrace-schedule-'))
after(() => rmSync(folder, { recursive: true }))

const idsOf = (running: { list: RunningFlow['list'] }, name: string): string[] =>
  running
    .list({ limit: Infinity })
    .map(({ id }) => id)
    .filter((id) => id.startsWith(`${name}@`))
    .toReversed()
const timesOf = (running: { list: RunningFlow['list'] }, name: string): number[] =>
  idsOf(running, name).map((id) => Date.parse(id.slice(name.length + 1)))

test('a flow is asked at each multiple of a time, each with the id of its time', async () => {
  await using running = await runFlow(said)
  using every = await schedule(running, {
    everyMs: 50,
    name: 'often',
    input: (at) => `${at.getTime()}`,
    overlap: 'allow',
  })
  await until(() => running.list().length >= 4, 'it was asked')
  every.stop()
  assert.equal(every.next, undefined)
  for (const at of timesOf(running, 'often')) {
    assert.equal(at % 50, 0)
    assert.equal(await running.get(`often@${new Date(at).toISOString()}`)!.answer, `you said "${at}"`)
  }
})

test('by a cron expression with a time zone, and once', async () => {
  await using running = await runFlow(said)
  using daily = await schedule(running, { cron: '30 6 * * *', timeZone: 'Asia/Kolkata', name: 'daily', input: 'x' })
  assert.deepEqual([daily.next!.getUTCHours(), daily.next!.getUTCMinutes()], [1, 0])
  using seconds = await schedule(running, { cron: '* * * * * *', name: 'seconds', input: 'x' })
  using one = await schedule(running, { at: new Date(Date.now() + 30), name: 'one', input: 'once' })
  await until(() => timesOf(running, 'seconds').length > 0 && one.next === undefined, 'both were asked')
  assert.equal(timesOf(running, 'seconds')[0]! % 1_000, 0)
  assert.equal(idsOf(running, 'one').length, 1)
  assert.ok(seconds.next !== undefined)
})

/** The ids that a schedule asks for at once, after no process ran for three hours. */
async function missedBy(missed: 'skip' | 'once' | 'all'): Promise<number[]> {
  const store = new MemoryFlowStore()
  const hour = Math.floor(Date.now() / HOUR) * HOUR
  const before = await runFlow(kept, { store })
  const given: Kept = { log: join(folder, missed), items: 1 }
  await before.execute(given, { id: `hourly@${new Date(hour - 3 * HOUR).toISOString()}` })
  await before.drain()
  await using running = await runFlow(kept, { store })
  const options = { cron: '0 * * * *', timeZone: 'UTC', name: 'hourly', input: given, missed } as const
  using hourly = await schedule(running, { ...options, overlap: 'wait' })
  const expected = { skip: 1, once: 2, all: 4 }[missed]
  await until(() => timesOf(running, 'hourly').length >= expected, 'what was missed is made up for')
  assert.ok(hourly.next!.getTime() > hour)
  // A second one of the same name asks for nothing more.
  using again = await schedule(running, { ...options, overlap: 'allow' })
  assert.ok(again.next!.getTime() > hour)
  return timesOf(running, 'hourly')
    .map((at) => (at - hour) / HOUR)
    .slice(1)
}

test('what was missed while no process ran is left out, made up for once, or all of it', async () => {
  assert.deepEqual(await missedBy('all'), [-2, -1, 0])
  assert.deepEqual(await missedBy('once'), [0])
  assert.deepEqual(await missedBy('skip'), [])
})

test('a time at which the request before is open is left out, waits, or is asked for at once', async () => {
  const params = { counts: new SharedArrayBuffer(12) }
  await using running = await runFlow(waiting, { params })
  using skipping = await schedule(running, { everyMs: 20, name: 'skip', input: 60_000 })
  using allowing = await schedule(running, { everyMs: 20, name: 'allow', input: 60_000, overlap: 'allow' })
  using queueing = await schedule(running, { everyMs: 20, name: 'wait', input: 60_000, overlap: 'wait' })
  await until(() => idsOf(running, 'allow').length >= 5, 'many were asked')
  assert.deepEqual([idsOf(running, 'skip').length, idsOf(running, 'wait').length], [1, 1])
  await running.stop(idsOf(running, 'wait')[0]!)
  await until(() => idsOf(running, 'wait').length === 2, 'the next one follows')
  for (const each of [skipping, allowing, queueing]) each.stop()
  await Promise.all(running.list().map(({ id }) => running.stop(id)))
})

test('what cannot be is refused', async () => {
  await using running = await runFlow(said)
  const input = 'x'
  const wrong = [
    { everyMs: 0 },
    { cron: 'never' },
    { cron: '* * * * *', timeZone: 'Nowhere/Land' },
    { at: new Date(NaN) },
    { everyMs: 1_000, missed: 'some' },
    { everyMs: 1_000, overlap: 'some' },
    { everyMs: 1_000, name: '' },
  ]
  for (const options of wrong)
    await assert.rejects(
      schedule(running, { ...options, input } as never),
      { code: 'OPTIONS_INVALID' },
      JSON.stringify(options),
    )
})
