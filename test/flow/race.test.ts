/** Joins that need not all answers: a race, and two of three. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MillraceError } from 'millrace'
import { type RunningFlow, runFlow } from 'millrace/flow'
import { assertConserved, until } from '../run/harness.js'
import { ABORTED, type Racer, WENT_ON, race, two } from './flows.js'

const MINUTE = 600_000
const never: Racer = { ms: MINUTE }

async function runs(flow: typeof race): Promise<{ running: RunningFlow<any, string>; counts: Int32Array }> {
  const counts = new SharedArrayBuffer(12)
  const running = await runFlow(flow, { params: { counts }, restart: { maxRestarts: 10_000, backoffMs: 0 } })
  return { running, counts: new Int32Array(counts) }
}

test('the first answer of a race is the request’s; the others are cancelled, and their next steps are not called', async () => {
  const { running, counts } = await runs(race)
  const request = running.start({ a: never, b: { ms: 1 }, c: never })
  assert.equal(await request.answer, 'b')
  await request.ended
  assert.deepEqual([counts[ABORTED], counts[WENT_ON]], [2, 0])
  assertConserved(running.pipeline)
  await running.drain()
})

test('a racer that fails does not end the race; if all fail, the request fails as one of them', async () => {
  const { running } = await runs(race)
  const fails = { ms: 0, fails: true }
  assert.equal(await running.execute({ a: fails, b: fails, c: { ms: 3 } }), 'c')
  const error: MillraceError = await running.execute({ a: fails, b: fails, c: fails }).then(
    () => assert.fail('it is answered'),
    (thrown) => thrown,
  )
  assert.match((error.cause as Error).message, /^[abc] fails$/)
  await running.drain()
})

test('a quorum gets so many answers by name', async () => {
  const { running } = await runs(two)
  assert.equal(await running.execute({ a: { ms: 1 }, b: never, c: { ms: 1 } }), 'a,c')
  assert.equal(await running.execute({ a: { ms: 0, fails: true }, b: { ms: 1 }, c: { ms: 1 } }), 'b,c')
  await running.drain()
})

test('under kills of every worker each race is won once', { timeout: 120_000 }, async () => {
  const { running } = await runs(race)
  let [asked, answered] = [0, 0]
  const over = new AbortController()
  const asking = Array.from({ length: 16 }, async () => {
    while (!over.signal.aborted) {
      const winner = 'abc'[asked++ % 3]!
      const given = { a: never, b: never, c: never, [winner]: { ms: asked % 3 } }
      assert.equal(await running.execute(given), winner)
      answered++
    }
  })
  const nodes = ['ask', 'a', 'b', 'c', 'more', 'first']
  for (let kills = 0; kills < 18; kills++) {
    const before = answered
    await running.pipeline.restartWorker(nodes[kills % nodes.length]!, 0)
    await until(() => answered > before, 'races are won', 1)
  }
  over.abort()
  await Promise.all(asking)
  const report = await running.drain()
  assert.deepEqual([report.acked, report.abandoned], [asked, 0])
  assertConserved(running.pipeline)
})
