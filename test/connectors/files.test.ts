/** What files can be beyond what all sources and sinks promise: quotes, other ends of lines, archives, rotation, torn ends. */
import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { type GraphMaker, type Pipeline, run } from 'millrace'
import { until } from './bench.js'
import { readCsv, readLines, readStream, readTail, writeAndDie, writeLines } from './modules/made.js'

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-files-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

async function recordsOf(maker: GraphMaker, options: object): Promise<unknown[]> {
  const pipeline = await run(maker, { params: { options } })
  const records: unknown[] = []
  for await (const record of pipeline.output('out')) records.push(record)
  return records
}

test('cells in quotes, other ends of lines, an order of bytes and empty lines are read as they are meant', async (t) => {
  const path = join(folderOf(t), 'a.csv')
  writeFileSync(path, '\u{feff}name,note\r\n"Smith, J.","says ""no""\r\nand goes"\r\n\r\nMüller,5" pipe\r\nlast,"end"')
  assert.deepEqual(await recordsOf(readCsv, { path }), [
    { name: 'Smith, J.', note: 'says "no"\r\nand goes' },
    { name: 'Müller', note: '5" pipe' },
    { name: 'last', note: 'end' },
  ])
})

test('CSV without a header, with another delimiter, in Latin 1, compressed', async (t) => {
  const path = join(folderOf(t), 'a.csv.gz')
  writeFileSync(path, gzipSync(Buffer.from('1;Zoë\n2;"a;b"\n', 'latin1')))
  const options = { path, delimiter: ';', encoding: 'latin1', columns: ['id', 'name'] }
  assert.deepEqual(await recordsOf(readCsv, options), [
    { id: '1', name: 'Zoë' },
    { id: '2', name: 'a;b' },
  ])
})

test('rows longer than what is read at once, and a quote at its end, are whole', async (t) => {
  const path = join(folderOf(t), 'a.csv')
  const rows = Array.from({ length: 40 }, (_, n) => ({ n: String(n), text: `"${'x\n'.repeat(n * 997)}"` }))
  writeFileSync(path, `n,text\n${rows.map(({ n, text }) => `${n},"${text.replaceAll('"', '""')}"\n`).join('')}`)
  assert.deepEqual(await recordsOf(readCsv, { path }), rows)
})

test('bytes may come from a stream of any chunks', async () => {
  const text = '{"a":"ä"}\n{"b":"🙂"}\r\n\n{"c":3}'
  assert.deepEqual(await recordsOf(readStream, { text }), [{ a: 'ä' }, { b: '🙂' }, { c: 3 }])
})

test('a file that is replaced is read to its end, then the new one; one that is cut is read again', async (t) => {
  const path = join(folderOf(t), 'log')
  const pipeline = await run(readTail, { params: { options: { path, lookMs: 5 } } })
  const lines = pipeline.output('out')[Symbol.asyncIterator]()
  const next = async (): Promise<unknown> => (await lines.next()).value as unknown
  writeFileSync(path, 'one\ntw')
  assert.equal(await next(), 'one')
  appendFileSync(path, 'o\n')
  assert.equal(await next(), 'two')
  appendFileSync(path, 'three\n')
  renameSync(path, `${path}.1`)
  writeFileSync(path, 'four\n')
  assert.deepEqual([await next(), await next()], ['three', 'four'])
  writeFileSync(path, '5\n')
  assert.equal(await next(), '5')
  await pipeline.stop()
})

async function written(pipeline: Pipeline, records: readonly unknown[]): Promise<void> {
  const receipts = await Promise.all(records.map((record) => pipeline.push('in', record)))
  await Promise.all(receipts.map(({ done }) => done))
}

test('a file that is replaced is there when it is whole, and not before', async (t) => {
  const folder = folderOf(t)
  const path = join(folder, 'out.ndjson')
  writeFileSync(path, 'old\n')
  const pipeline = await run(writeLines, { params: { options: { path } } })
  await written(pipeline, [1, 2])
  assert.equal(readFileSync(path, 'utf8'), 'old\n')
  await pipeline.drain()
  assert.equal(readFileSync(path, 'utf8'), '1\n2\n')
  assert.deepEqual(readdirSync(folder), ['out.ndjson'])
})

test('what a crash left of a batch is cut off; what others wrote is kept', async (t) => {
  const path = join(folderOf(t), 'out.ndjson')
  writeFileSync(path, '{"a":1}\n{"torn')
  writeFileSync(`${path}.end`, '               8')
  const pipeline = await run(writeLines, { params: { options: { path, mode: 'append' } } })
  await written(pipeline, [2])
  await pipeline.drain()
  assert.equal(readFileSync(path, 'utf8'), '{"a":1}\n2\n')
  assert.ok(!existsSync(`${path}.end`))
})

for (const times of [1, 2, 3]) {
  test(`what was written ${times === 1 ? 'once' : `${times} times`} before its worker died is there once`, async (t) => {
    const folder = folderOf(t)
    const [path, deaths] = [join(folder, 'out.ndjson'), join(folder, 'deaths')]
    writeFileSync(path, '"before"\n')
    const pipeline = await run(writeAndDie, { params: { options: { path, mode: 'append', times, deaths } } })
    const records = ['a', 10n, 'b', 'c', 'd', 'e', 10n, 'f']
    const open = await Promise.all(records.map((record) => pipeline.push('in', record)))
    await Promise.allSettled(open.map(({ done }) => done))
    await pipeline.drain()
    assert.equal(readFileSync(deaths, 'utf8').length, times)
    assert.equal(readFileSync(path, 'utf8'), '"before"\n"a"\n"b"\n"c"\n"d"\n"e"\n"f"\n')
  })
}

test('a compressed file is one that others can read, batch behind batch', async (t) => {
  const path = join(folderOf(t), 'out.ndjson.gz')
  for (const n of [1, 2]) {
    const pipeline = await run(writeLines, { params: { options: { path, mode: 'append' } } })
    await written(pipeline, [n])
    await pipeline.drain()
  }
  assert.equal(gunzipSync(readFileSync(path)).toString(), '1\n2\n')
  assert.deepEqual(await recordsOf(readLines, { path }), [1, 2])
})

test('a file goes on in the middle with the names of its columns', async (t) => {
  const folder = folderOf(t)
  const [path, cursorFile] = [join(folder, 'a.csv'), join(folder, 'cursor')]
  writeFileSync(path, 'id\n1\n')
  assert.deepEqual(await recordsOf(readCsv, { path, cursorFile }), [{ id: '1' }])
  await until(() => existsSync(cursorFile), 'the cursor is kept')
  appendFileSync(path, '2\n')
  assert.deepEqual(await recordsOf(readCsv, { path, cursorFile }), [{ id: '2' }])
})
