import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Failure } from 'millrace'
import deadLetters from '../../examples/walkthrough/run/3-dead-letters.js'
import etl from '../../examples/walkthrough/run/1-simple-etl.js'
import iot from '../../examples/walkthrough/run/2-iot.js'
import { collect } from '../run/harness.js'

test('the simple ETL stores every line once, enriched', async () => {
  const { outputs, report } = await collect(etl)
  const rows = outputs['timescaledb'] as { ms: number; region: string }[]
  assert.deepEqual(
    rows.map(({ ms }) => ms).sort((a, b) => a - b),
    Array.from({ length: 1_000 }, (_, n) => n),
  )
  assert.equal(rows.filter(({ region }) => region === 'unknown').length, 333)
  assert.equal(report.acked, 1_000)
})

test('the sensors’ readings are all in a window of their sensor', async () => {
  const { outputs } = await collect(iot)
  const windows = outputs['influxdb'] as { sensor: string; count: number; mean: number }[]
  for (const [sensor, count] of Object.entries({ a: 200, b: 300, c: 500 })) {
    const own = windows.filter((each) => each.sensor === sensor)
    assert.equal(
      own.reduce((sum, each) => sum + each.count, 0),
      count,
    )
    const total = own.reduce((sum, each) => sum + each.count * each.mean, 0)
    assert.ok(Math.abs(total / count - 24.5) < 1e-9)
  }
})

test('events that are never signed are dead letters after three more looks, all others are processed once', async () => {
  const { outputs, report } = await collect(deadLetters)
  const ids = (outputs['postgres'] as { id: number }[]).map(({ id }) => id).sort((a, b) => a - b)
  assert.deepEqual(
    ids,
    Array.from({ length: 500 }, (_, id) => id).filter((id) => id % 10 !== 7),
  )
  const failures = outputs['alerting'] as Failure<{ id: number; looks: number }>[]
  assert.equal(failures.length, 50)
  assert.ok(failures.every(({ input, node }) => input.id % 10 === 7 && input.looks === 3 && node === 'retry_handler'))
  assert.equal(report.deadLettered, 50)
})

test('each of them runs as a program', () => {
  const main = fileURLToPath(new URL('../../examples/walkthrough/run/main.js', import.meta.url))
  const said = execFileSync(process.execPath, [main, '2-iot'], { encoding: 'utf8' })
  assert.match(said, /^influxdb: \{"sensor":"[abc]"/m)
  assert.match(said, /^1000 records done, 0 failed/m)
})
