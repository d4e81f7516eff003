import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type MillraceError, run } from 'millrace'
import type { Tick } from 'millrace/cron'
import { until } from './bench.js'
import { readTicks } from './modules/made.js'

async function firstTicks(options: object, count: number): Promise<Tick[]> {
  const pipeline = await run(readTicks, { params: { options } })
  const ticks: Tick[] = []
  // To the end, so that each of them is done.
  for await (const tick of pipeline.output('out')) if (ticks.push(tick as Tick) === count) void pipeline.drain()
  await pipeline.finished
  return ticks.slice(0, count)
}

test('ticks come when they are due', async () => {
  const from = Date.now()
  const ticks = await firstTicks({ cron: '* * * * * *' }, 2)
  assert.equal(ticks[0]!.at % 1_000, 0)
  assert.ok(ticks[0]!.at > from && Date.now() >= ticks[1]!.at)
  assert.equal(ticks[1]!.at - ticks[0]!.at, 1_000)
})

const HOUR = 3_600_000

/** A process ran until two and a half hours ago. */
async function afterThePause(missed: string, count: number): Promise<{ ticks: number[]; kept: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-cron-'))
  const cursorFile = join(folder, 'cursor')
  const hour = Math.floor(Date.now() / HOUR) * HOUR
  writeFileSync(cursorFile, String(hour - 3 * HOUR))
  const ticks = await firstTicks({ cron: '0 * * * *', timeZone: 'UTC', missed, cursorFile }, count)
  const kept = (): number => Number(readFileSync(cursorFile, 'utf8'))
  await until(() => existsSync(cursorFile) && kept() >= hour, 'what has ended is kept')
  const result = { ticks: ticks.map(({ at }) => (at - hour) / HOUR), kept: (kept() - hour) / HOUR }
  rmSync(folder, { recursive: true })
  return result
}

test('the last tick that was missed comes, and is late', async () => {
  assert.deepEqual(await afterThePause('last', 1), { ticks: [0], kept: 0 })
})

test('all ticks that were missed come', async () => {
  assert.deepEqual(await afterThePause('all', 3), { ticks: [-2, -1, 0], kept: 0 })
})

test('a tick that a process has ended does not come again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-cron-'))
  const cursorFile = join(folder, 'cursor')
  const second = Math.floor(Date.now() / 1_000) * 1_000
  writeFileSync(cursorFile, String(second))
  const [tick] = await firstTicks({ cron: '* * * * * *', missed: 'last', cursorFile }, 1)
  assert.ok(tick!.at > second)
  rmSync(folder, { recursive: true })
})

test('what is no cron expression, or no time zone, is refused at the start', async () => {
  for (const options of [
    { cron: 'now and then' },
    { cron: '* * * * *', timeZone: 'Europe/Nowhere' },
    { cron: '0 0 30 2 *' },
  ]) {
    const error = await run(readTicks, { params: { options } }).then(
      () => assert.fail('it has started'),
      (reason: unknown) => reason as MillraceError,
    )
    assert.equal((error.cause as MillraceError).code, 'CONNECTOR_REFUSED', String(error.cause))
  }
})
