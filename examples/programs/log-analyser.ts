/**
 * Web logs to figures: reads gzip files of access logs, and counts requests, errors and bytes by hour and path in SQLite.
 *
 *     node log-analyser.js FOLDER figures.sqlite
 */
import { createReadStream, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { dataflow, run } from 'millrace'
import sqlite from 'node-sqlite3-wasm'

interface Params {
  readonly folder: string
  readonly database: string
}

interface Hit {
  readonly hour: string
  readonly path: string
  readonly status: number
  readonly bytes: number
}

interface Count {
  readonly hour: string
  readonly path: string
  hits: number
  errors: number
  bytes: number
}

/** 192.0.2.7 - - [27/Nov/2026:10:15:32 +0000] "GET /cart?id=7 HTTP/1.1" 200 5120 */
const LINE = /\[(?<day>[^:]+):(?<hour>\d\d):[^\]]*\] "[A-Z]+ (?<path>[^ ?"]*)[^"]*" (?<status>\d{3}) (?<bytes>\d+|-)/

function parse(line: string): Hit {
  const found = LINE.exec(line)?.groups
  if (found === undefined) throw new Error(`This is no line of an access log: ${line.slice(0, 80)}`)
  const { day, hour, path, status, bytes } = found
  return { hour: `${day}:${hour}`, path: path!, status: Number(status), bytes: bytes === '-' ? 0 : Number(bytes) }
}

/** Thousands of hits become a few counts before they reach the database. */
function count(hits: readonly Hit[]): Iterable<Count> {
  const counts = new Map<string, Count>()
  for (const { hour, path, status, bytes } of hits) {
    const key = `${hour} ${path}`
    let sum = counts.get(key)
    if (sum === undefined) counts.set(key, (sum = { hour, path, hits: 0, errors: 0, bytes: 0 }))
    sum.hits++
    sum.bytes += bytes
    if (status >= 500) sum.errors++
  }
  return counts.values()
}

function open({ database }: Params): sqlite.Database {
  const file = new sqlite.Database(database)
  file.exec(
    'CREATE TABLE IF NOT EXISTS figures (hour TEXT, path TEXT, hits INT, errors INT, bytes INT, PRIMARY KEY (hour, path))',
  )
  return file
}

const ADD = `INSERT INTO figures VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
  SET hits = hits + excluded.hits, errors = errors + excluded.errors, bytes = bytes + excluded.bytes`

function save(counts: readonly Count[], database: sqlite.Database): void {
  database.exec('BEGIN')
  for (const { hour, path, hits, errors, bytes } of counts) database.run(ADD, [hour, path, hits, errors, bytes])
  database.exec('COMMIT')
}

const graph = dataflow<Params>('log-analyser', import.meta.url)
  .source('files', { chunk: 1, produce: ({ params }) => readdirSync(params.folder) })
  .transform('read', {
    concurrency: 2,
    flatMap: (file: string, { params }) =>
      createInterface(createReadStream(join(params.folder, file)).pipe(createGunzip())),
  })
  .transform('parse', { map: parse })
  .transform('count', { batch: { size: 5_000, timeoutMs: 500 }, mapBatch: count })
  .sink('save', {
    setup: ({ params }) => open(params),
    batch: { size: 1_000, timeoutMs: 500 },
    write: (counts, { state }) => save(counts, state),
    teardown: (database) => database.close(),
  })
  .connect('files', 'read')
  .connect('read', 'parse', { dataType: 'line' })
  .connect('parse', 'count', { dataType: 'hit' })
  .connect('count', 'save')

export default graph

const [folder = '.', database = 'figures.sqlite'] = process.argv.slice(2)
const pipeline = await run(graph, { params: { folder, database } })
const { nodes, seconds } = await pipeline.finished
console.log(`${nodes['parse']!.done} lines counted, ${nodes['parse']!.failed} not read, in ${seconds.toFixed(2)} s`)
