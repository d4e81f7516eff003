import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { run } from 'millrace'
import { makeMemoryLog } from '../../examples/connectors/cron.js'
import { makeLongTrips } from '../../examples/connectors/csv.js'
import { makeWordCounts } from '../../examples/connectors/files.js'
import { makeFailures } from '../../examples/connectors/ndjson.js'
import { until } from './bench.js'
import { assertShown } from './pages.js'

function pathsIn(t: TestContext): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-example-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return (name) => join(folder, name)
}

test('the example of docs/connectors/csv.md keeps long trips', async (t) => {
  assertShown('csv')
  const path = pathsIn(t)
  const params = { input: path('trips.csv'), output: path('long.ndjson') }
  writeFileSync(params.input, 'id,km\na,3\nb,12.5\n')
  const pipeline = await run(makeLongTrips, { params })
  await pipeline.finished
  assert.equal(readFileSync(params.output, 'utf8'), '{"id":"b","km":12.5}\n')
})

test('the example of docs/connectors/ndjson.md makes a table of failures', async (t) => {
  assertShown('ndjson')
  const path = pathsIn(t)
  const params = { input: path('log.ndjson'), output: path('failures.csv') }
  const requests = [200, 503].map((status) => `${JSON.stringify({ path: '/a', status, ms: 2 })}\n`)
  writeFileSync(params.input, requests.join(''))
  const pipeline = await run(makeFailures, { params })
  await pipeline.finished
  assert.equal(readFileSync(params.output, 'utf8'), 'path,status,ms\n/a,503,2\n')
})

test('the example of docs/connectors/files.md counts words and archives the letter', async (t) => {
  assertShown('files')
  const path = pathsIn(t)
  const params = { inbox: path('inbox'), archive: path('archive'), output: path('counts.ndjson') }
  mkdirSync(params.inbox)
  writeFileSync(join(params.inbox, 'a.txt'), 'Dear reader')
  await using pipeline = await run(makeWordCounts, { params })
  await until(() => existsSync(join(params.archive, 'a.txt')), 'it is archived')
  await pipeline.drain()
  const [line] = readFileSync(params.output, 'utf8').split('\n')
  assert.deepEqual(JSON.parse(line!), { path: join(params.inbox, 'a.txt'), words: 2 })
})

test('the example of docs/connectors/cron.md writes a line at its time', async (t) => {
  assertShown('cron')
  const output = pathsIn(t)('memory.ndjson')
  await using pipeline = await run(makeMemoryLog, { params: { cron: '* * * * * *', output } })
  await until(() => existsSync(output) && readFileSync(output, 'utf8').includes('"bytes":'), 'there is a line')
  await pipeline.drain()
})
