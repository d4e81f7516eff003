/** Workers die at any instant: each request is answered once, with its own answer, and no join is done twice or waits for ever. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MillraceError } from 'millrace'
import { type AnyFlow, type RunningFlow, runFlow } from 'millrace/flow'
import { assertConserved, until } from '../run/harness.js'
import { diamond, nested } from './flows.js'

const KILLS = 24

/** Keeps so many requests open while every worker of the pool is killed in turn, over and over. */
async function underKills(
  flow: AnyFlow,
  open: number,
  ask: (running: RunningFlow<any, any>, n: number) => Promise<void>,
): Promise<void> {
  const running = await runFlow(flow, { restart: { maxRestarts: 10_000, backoffMs: 0, maxPoison: 1 } })
  const { plan } = running.pipeline
  const workers = plan.stages
    .filter(({ host }) => host === 'pool')
    .flatMap(({ node, workers: pool }) => pool.map((_, worker) => [node, worker] as const))
  let [asked, answered] = [0, 0]
  const over = new AbortController()
  const asking = Array.from({ length: open }, async () => {
    while (!over.signal.aborted) {
      await ask(running, asked++)
      answered++
    }
  })
  for (let kills = 0; kills < KILLS; kills++) {
    const before = answered
    await running.pipeline.restartWorker(...workers[kills % workers.length]!)
    await until(() => answered > before, 'requests are answered', 1)
  }
  over.abort()
  await Promise.all(asking)
  assert.equal(answered, asked)
  const report = await running.drain()
  assert.deepEqual([report.acked, report.abandoned], [asked, 0])
  assertConserved(running.pipeline)
}

test('a diamond under kills of every worker', { timeout: 120_000 }, async () => {
  await underKills(diamond, 32, async (running, n) => {
    if (n % 9 !== 0)
      return assert.deepEqual(await running.execute({ n }), { n, left: 2 * n, right: n + 1, sum: 3 * n + 1 })
    const fails = ['ask', 'left', 'right', 'both'][(n / 9) % 4]!
    const error: MillraceError = await running.execute({ n, fails }).then(
      () => assert.fail('it is answered'),
      (thrown) => thrown,
    )
    assert.equal((error.cause as Error).message, `${fails} cannot do ${n}`)
  })
})

test('forEach within forEach under kills of every worker', { timeout: 120_000 }, async () => {
  await underKills(nested, 8, async (running, n) => {
    const size = n % 6
    const range = Array.from({ length: size }, (_, i) => i)
    const table = range.map((row) => range.map((column) => `${row + column}/${row * column}`))
    assert.deepEqual(await running.execute(size), table)
  })
})
