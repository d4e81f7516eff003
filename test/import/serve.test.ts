/** Imports by a schedule: when they are due, what is made up for, and that no run stops the next. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ImportProblem, type Schedule, type Service, openSchedule, serve } from 'millrace/import'
import { databaseOnServer, folderOf, importByCommand, put, rowsAt, temporaryFolder } from './harness.js'

const { onServer, to } = await databaseOnServer()

const at = (text: string): number => Date.parse(text)
const isThere = async (id: number): Promise<boolean> =>
  (await rowsAt(to, `select id from served.a where id = ${id}`).catch(() => [])).length > 0

test('a schedule is that of its time zone, over the days on which clocks are set', async () => {
  const berlin = await openSchedule('15 3 * * *', 'Europe/Berlin')
  assert.deepEqual(
    ['2026-03-28T12:00:00Z', '2026-07-01T12:00:00Z', '2026-10-24T12:00:00Z'].map((from) =>
      new Date(berlin.nextMs(at(from))!).toISOString(),
    ),
    ['2026-03-29T01:15:00.000Z', '2026-07-02T01:15:00.000Z', '2026-10-25T02:15:00.000Z'],
  )
  for (const [cron, zone, reason] of [
    ['x y', undefined, /"x y" is no schedule/],
    ['0 0 30 2 *', undefined, /it is never due/],
    ['0 0 * * *', 'Mars/One', /in Mars\/One is no schedule/],
  ] as const)
    await assert.rejects(
      openSchedule(cron, zone),
      (error: Error) => error instanceof ImportProblem && reason.test(error.message),
    )
})

/** Serves until so many runs were made; every third one breaks. */
async function served(runs: number, service: Partial<Service> & { schedule: Schedule }): Promise<string[]> {
  const told: string[] = []
  const controller = new AbortController()
  let count = 0
  await serve({
    lastRunMs: Date.now(),
    makesUp: true,
    run: () => {
      told.push('run')
      if (++count === runs) controller.abort()
      return count % 3 === 0 ? Promise.reject(new Error(`run ${count} broke`)) : Promise.resolve()
    },
    onProblem: (error) => told.push((error as Error).message),
    onWaiting: () => told.push('waiting'),
    signal: controller.signal,
    ...service,
  })
  return told
}

test('each run follows the one before, whatever became of it', async () => {
  const soon: Schedule = { nextMs: (afterMs) => afterMs + 5 }
  const told = await served(4, { schedule: soon })
  assert.deepEqual(
    told.filter((each) => each !== 'waiting'),
    ['run', 'run', 'run', 'run 3 broke', 'run'],
  )
})

test('the first run, and one that was missed, is made up for at once; else it is waited for', async () => {
  const hour = 3_600_000
  const hourly: Schedule = { nextMs: (afterMs) => (Math.floor(afterMs / hour) + 1) * hour }
  assert.deepEqual(await served(1, { schedule: hourly, lastRunMs: undefined }), ['run'])
  assert.deepEqual(await served(1, { schedule: hourly, lastRunMs: Date.now() - hour }), ['run'])
  const waits = async (service: { lastRunMs?: undefined; makesUp?: boolean }): Promise<string[]> => {
    const controller = new AbortController()
    const told: string[] = []
    const onWaiting = (): void => {
      told.push('waiting')
      controller.abort()
    }
    return [...(await served(1, { schedule: hourly, ...service, onWaiting, signal: controller.signal })), ...told]
  }
  assert.deepEqual(await waits({}), ['waiting'])
  assert.deepEqual(await waits({ lastRunMs: undefined, makesUp: false }), ['waiting'])
})

test('the command serves a directory until it is interrupted; a file that fails stops nothing', onServer, async () => {
  const directory = folderOf({ 'a.csv': 'id\n1\n', 'broken.csv': 'a,b\n1\n' }, 'served')
  const ended = await importByCommand(['serve', directory, '--to', to, '--cron', '* * * * * *', '--json'], {
    cwd: temporaryFolder(),
    onStart: (child) =>
      void (async () => {
        while (child.exitCode === null && !(await isThere(1)));
        put(directory, { 'a.csv': 'id\n2\n' })
        while (child.exitCode === null && !(await isThere(2)));
        child.kill('SIGINT')
      })(),
  })
  assert.equal(ended.code, 0, ended.stderr)
  assert.ok(ended.stdout.trimEnd().split('\n').length > 1, 'a line of JSON for each run')
  assert.match(ended.stderr, /The next import is due at 20/)
  const wrong = await importByCommand(['serve', directory, '--to', to, '--cron', 'soon'], { cwd: temporaryFolder() })
  assert.deepEqual([wrong.code, /"soon" is no schedule/.test(wrong.stderr)], [1, true])
  assert.equal((await importByCommand(['serve', directory], { cwd: temporaryFolder() })).code, 2)
})
