/** The example programs on files: each does what it says, on input as it comes, with a part that is wrong. */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import sqlite from 'node-sqlite3-wasm'
import { PDFDocument } from 'pdf-lib'
import { PROGRAMS, programPicture } from '../../scripts/draw-pictures.js'
import { ownFolder, program, rowsOf } from './program.js'

const line = (hour: number, path: string, status: number): string =>
  `192.0.2.7 - - [27/Nov/2026:0${hour}:15:32 +0000] "GET ${path}?id=7 HTTP/1.1" ${status} 100`

const sentence = (n: number): string =>
  Array.from({ length: 60 }, (_, i) => `word${(n * 7919 + i * i * 31) % 10_007}`).join(' ')

const invoice = (number: string, customer = 'Ada'): string =>
  JSON.stringify({ number, customer, items: [{ name: 'Mill', count: 2, cents: 1_250 }] })

test('the log analyser counts every line of every file once', async () => {
  const [logs, folder] = [ownFolder(), ownFolder()]
  for (let file = 0; file < 5; file++) {
    const lines = Array.from({ length: 2_000 }, (_, n) => line(n % 2, n % 4 < 2 ? '/cart' : '/pay', n % 10 ? 200 : 503))
    writeFileSync(join(logs, `access-${file}.log.gz`), gzipSync([...lines, 'no line of a log'].join('\n')))
  }
  const database = join(folder, 'figures.sqlite')
  const out = await program('log-analyser', [logs, database]).out
  assert.match(out, /^10000 lines counted, 5 not read/)
  const file = new sqlite.Database(database)
  const rows = file.all('SELECT path, sum(hits) hits, sum(errors) errors, sum(bytes) bytes FROM figures GROUP BY path')
  file.close()
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    [
      { path: '/cart', hits: 5_000, errors: 500, bytes: 500_000 },
      { path: '/pay', hits: 5_000, errors: 500, bytes: 500_000 },
    ],
  )
})

test('the fetcher tries again what may pass, and lists what does not', async (t) => {
  const asked = new Map<string, number>()
  const server = createServer(({ url = '' }, answer) => {
    const times = (asked.get(url) ?? 0) + 1
    asked.set(url, times)
    answer.statusCode = url === '/gone' ? 404 : url === '/busy' && times < 3 ? 503 : 200
    answer.end(`<html><title>Page ${url}</title></html>`)
  }).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const folder = ownFolder()
  const files = ['urls.txt', 'titles.ndjson', 'failed.ndjson'].map((name) => join(folder, name))
  const paths = [...Array.from({ length: 20 }, (_, n) => `/${n}`), '/busy', '/gone']
  const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  writeFileSync(files[0]!, paths.map((path) => root + path).join('\n'))
  assert.match(await program('fetcher', files).out, /^21 titles, 1 failed/)
  const titles = rowsOf<{ url: string; title: string }>(files[1]!).map(({ title }) => title)
  assert.deepEqual(
    titles.toSorted(),
    paths
      .slice(0, 21)
      .map((path) => `Page ${path}`)
      .toSorted(),
  )
  assert.deepEqual(rowsOf(files[2]!), [{ url: `${root}/gone`, error: 'The server answered 404.' }])
  assert.deepEqual([asked.get('/busy'), asked.get('/gone')], [3, 1])
})

test('near duplicates are found, each pair once, and nothing else', async () => {
  const folder = ownFolder()
  const [input, output] = [join(folder, 'texts.ndjson'), join(folder, 'pairs.ndjson')]
  const texts = Array.from({ length: 300 }, (_, n) => ({ id: `t${n}`, text: sentence(n) }))
  texts.push({ id: 'copy', text: `${sentence(7)} more` }, { id: 'same', text: sentence(100) })
  writeFileSync(input, texts.map((text) => JSON.stringify(text)).join('\n'))
  assert.equal(await program('near-duplicates', [input, output]).out, '2 pairs\n')
  const pairs = rowsOf<{ pair: string[]; alike: number }>(output).map(({ pair }) => pair.join(' '))
  assert.deepEqual(pairs.toSorted(), ['copy t7', 'same t100'])
})

test('CSV becomes NDJSON in the order of its lines, with line breaks in quotes and half lines at the ends of blocks', async () => {
  const folder = ownFolder()
  const [input, output] = [join(folder, 'in.csv.gz'), join(folder, 'out.ndjson')]
  const rows = Array.from({ length: 40_000 }, (_, n) => `${n},"a ""quoted""\nname ${n}",${n % 2 === 0},${n / 4},`)
  writeFileSync(input, gzipSync(`\uFEFFid,name,even,share,none\n${rows.join('\n')}`))
  assert.match(await program('csv-to-ndjson', [input, output]).out, /^\d+ blocks converted, 0 failed/)
  assert.deepEqual(
    rowsOf(output),
    rows.map((_, n) => ({ id: n, name: `a "quoted"\nname ${n}`, even: n % 2 === 0, share: n / 4, none: null })),
  )
})

test('invoices become PDFs; those that cannot be drawn are listed', async () => {
  const folder = ownFolder()
  const input = join(folder, 'invoices.ndjson')
  const good = Array.from({ length: 12 }, (_, n) => `2026-${n}`)
  const lines = [...good.map((number) => invoice(number)), invoice('../etc'), invoice('2026-x', '漢字'), '{']
  writeFileSync(input, lines.join('\n'))
  const made = program('invoices', [input, join(folder, 'pdf')])
  assert.match(await made.out, /^12 invoices, 3 refused/)
  assert.match(made.err(), /"\.\.\/etc".*needs a number/)
  const files = readdirSync(join(folder, 'pdf'))
  assert.deepEqual(files.toSorted(), good.map((number) => `${number}.pdf`).toSorted())
  const pdf = await PDFDocument.load(readFileSync(join(folder, 'pdf/2026-3.pdf')))
  assert.deepEqual([pdf.getTitle(), pdf.getPageCount()], ['Invoice 2026-3', 1])
})

test('the simulation gives the same figures each time, and those that theory gives', async () => {
  const out = await program('call-centre', ['60', '7']).out
  assert.equal(out, await program('call-centre', ['60', '7']).out)
  const shares = out
    .trim()
    .split('\n')
    .map((line) => Number(/: ([\d.]+) %/.exec(line)?.[1]))
  assert.equal(shares.length, 7)
  // Erlang C. A day begins with nobody on the phone, so a little more is in time than in the long run.
  shares.forEach((share, index) => {
    const expected = 100 * inTime(13 + index)
    if (index > 0)
      assert.ok(Math.abs(share - expected) < 3, `${13 + index} people: ${share}, and ${expected} in theory`)
  })
})

/** The share of callers that `people` keep waiting for 20 seconds at most, where 12 are talking on average. */
function inTime(people: number): number {
  const load = 12
  let term = 1
  let sum = 0
  for (let n = 0; n < people; n++) {
    sum += term
    term *= load / (n + 1)
  }
  const waits = (term * people) / (people - load)
  return 1 - (waits / (sum + waits)) * Math.exp(-((people - load) * 20) / 180)
}

test('each program has its picture beside it, is on the page of examples, and has less than a hundred lines', async () => {
  const folder = new URL('../../../examples/programs/', import.meta.url)
  const page = readFileSync(new URL('../../../docs/examples.md', import.meta.url), 'utf8')
  assert.ok(PROGRAMS.length >= 10)
  for (const name of PROGRAMS) {
    assert.equal(readFileSync(new URL(`${name}.svg`, folder), 'utf8'), await programPicture(name), name)
    assert.ok(readFileSync(new URL(`${name}.ts`, folder), 'utf8').split('\n').length <= 101, name)
    assert.ok(page.includes(`programs/${name}.ts`) && page.includes(`programs/${name}.svg`), name)
  }
})
