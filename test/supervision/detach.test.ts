/** What `restart.exhausted` makes of a stage that crashes too often. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MillraceError, type Report, run } from 'millrace'
import { until } from '../run/harness.js'
import { type Away, RECORDS, detaches, drains } from './detach-graphs.js'

const words = (count: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * count))
const away = (): Away => ({ isUp: words(1), told: words(RECORDS), codes: words(1) })

test(
  '`detach`: its records fail with their reason and the rest goes on, until it is attached again',
  { timeout: 60_000 },
  async () => {
    const params = away()
    const pipeline = await run(detaches, { params })
    const names: string[] = []
    pipeline.events.on('*', ({ name }) => names.push(name))
    await until(() => Atomics.load(params.codes, 0) >= 2, 'records fail at the detached stage')
    assert.equal(pipeline.isDetached('work'), true)
    pipeline.pause('in')
    Atomics.store(params.isUp, 0, 1)
    await pipeline.attach('work')
    assert.equal(pipeline.isDetached('work'), false)
    pipeline.resume('in')
    const report = await pipeline.finished
    assert.deepEqual([report.outcome, report.acked + report.failed, report.abandoned], ['finished', RECORDS, 0])
    assert.equal(report.failed, params.told.filter((told) => told === 2).length)
    for (let n = 0; n < RECORDS; n++) {
      const told = params.told[n]!
      assert.ok(n % 2 === 1 ? told === 1 : told === 1 || told === 2, `${n} was told as ${told}`)
    }
    assert.ok(names.includes('stage.gaveUp') && names.includes('stage.detached') && names.includes('stage.attached'))
    await assert.rejects(pipeline.attach('nobody'), { code: 'NODE_UNKNOWN' })
  },
)

test(
  '`drain`: its records fail, what is in flight ends, and `finished` rejects with what stopped it',
  { timeout: 60_000 },
  async () => {
    const params = away()
    const pipeline = await run(drains, { params })
    await assert.rejects(pipeline.finished, (error: MillraceError & { report: Report }) => {
      assert.equal(error.code, 'STAGE_POISONED')
      const { outcome, acked, failed, abandoned, deadlinePassed } = error.report
      assert.deepEqual([outcome, abandoned, deadlinePassed], ['failed', 0, false])
      assert.equal(acked, params.told.filter((told) => told === 1).length)
      assert.equal(failed, params.told.filter((told) => told === 2).length)
      assert.ok(failed >= 1)
      return true
    })
  },
)
