/** The import into a PostgreSQL server: the same tables, and a database that refuses or goes away. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'
import { after, test } from 'node:test'
import type { Pipeline } from 'millrace'
import { isAway } from '../../examples/import/database.js'
import { summarize, summaryText } from '../../examples/import/summary.js'
import {
  VEGA,
  findServer,
  folderOf,
  importByCommand,
  importHere,
  killEachStageOnce,
  newDatabase,
  tablesOf,
  temporaryFolder,
  withDatabase,
} from './harness.js'

const server = await findServer()
const onServer = 'skip' in server ? { skip: server.skip } : {}
const { url: serverUrl } = { url: '', ...server }

/** What lies between the import and its server, so that the server can go away and come back. */
class Wire {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #target: URL
  readonly #port: number

  private constructor(server: Server, target: URL) {
    this.#server = server
    this.#target = target
    this.#port = (server.address() as AddressInfo).port
    after(() => this.cut())
  }

  static async to(url: string): Promise<Wire> {
    const target = new URL(url)
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const wire = new Wire(server, target)
    server.on('connection', (near) => wire.#join(near))
    return wire
  }

  get url(): string {
    const url = new URL(this.#target)
    url.host = `127.0.0.1:${this.#port}`
    return url.href
  }

  #join(near: Socket): void {
    const far = connect(Number(this.#target.port), this.#target.hostname)
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket)
      socket.pipe(other)
      socket.on('error', () => other.destroy()).on('close', () => other.destroy())
    }
  }

  /** The server is gone: connections break, and new ones are refused. */
  cut(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
  }

  /** Connections break, and new ones are let through. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
    this.#sockets.clear()
  }

  async mend(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve))
  }
}

/** Files enough that most of their rows are still to be written when the database goes away. */
const MANY = Object.fromEntries(
  Array.from({ length: 8 }, (_, i) => [
    `f${i}.csv`,
    `id,text\n${Array.from({ length: 5_000 }, (_, id) => `${id},${'.'.repeat(100)}\n`).join('')}`,
  ]),
)
const CUT_AT = 5_000

/** Acts once, when so many records have come to `postgres`. */
function whenWritten(records: number, act: () => void): (pipeline: Pipeline) => void {
  return (pipeline) => {
    const timer = setInterval(() => {
      if (pipeline.snapshot().nodes['postgres']!.done < records && pipeline.state !== 'ended') return
      clearInterval(timer)
      act()
    }, 2)
  }
}

const tablesAt = (url: string): Promise<Record<string, string>> => withDatabase(url, '', tablesOf)

test('the main job on a server: twice is as once, and workers that die change nothing', onServer, async () => {
  const url = await newDatabase(serverUrl)
  const first = await importByCommand(['--json'], { cwd: temporaryFolder(), url })
  assert.equal(first.code, 0, first.stderr)
  assert.equal(first.summary.rowsRead, first.summary.rowsWritten + first.summary.rowsDeadLettered)
  const once = await tablesAt(url)
  const stormyUrl = await newDatabase(serverUrl)
  const stormy = await importHere(
    { directory: VEGA, dataDirectory: temporaryFolder(), onRunning: killEachStageOnce },
    stormyUrl,
  )
  assert.equal(stormy.failure, undefined)
  assert.deepEqual(await tablesAt(stormyUrl), once)
  const again = await importByCommand(['--json'], { cwd: temporaryFolder(), url })
  assert.equal(again.summary.rowsRead, first.summary.rowsRead)
  assert.deepEqual(await tablesAt(url), once)
})

test('a database that goes away for a moment is waited for', onServer, async () => {
  const url = await newDatabase(serverUrl)
  const wire = await Wire.to(url)
  const cut = (): void => {
    wire.cut()
    setTimeout(() => void wire.mend(), 500)
  }
  const options = { directory: folderOf(MANY), dataDirectory: temporaryFolder() }
  const result = await importHere({ ...options, onRunning: whenWritten(CUT_AT, cut) }, wire.url)
  assert.equal(result.failure, undefined)
  const summary = summarize(result)
  assert.equal(summary.rowsWritten, summary.rowsRead)
  assert.equal(summary.incomplete, undefined)
  assert.ok(result.snapshot!.nodes['postgres']!.retried > 0)
})

test(
  'each query is answered or refused, at whatever instant its connection breaks',
  { ...onServer, timeout: 60_000 },
  async () => {
    const wire = await Wire.to(await newDatabase(serverUrl))
    await withDatabase(wire.url, '', async (database) => {
      const timer = setInterval(() => wire.reset(), 17)
      const refusals: unknown[] = []
      while (refusals.length < 50) {
        const asked = database.query('select length($1::text)', ['.'.repeat(200_000)])
        await asked.catch((error: unknown) => refusals.push(error))
      }
      clearInterval(timer)
      assert.deepEqual(
        refusals.filter((error) => !isAway(error)),
        [],
      )
    })
  },
)

test(
  'a database that stays away: what was written and what was not is named, and the next import mends it',
  onServer,
  async () => {
    const url = await newDatabase(serverUrl)
    const wire = await Wire.to(url)
    const options = { directory: folderOf(MANY), dataDirectory: temporaryFolder() }
    const result = await importHere({ ...options, onRunning: whenWritten(CUT_AT, () => wire.cut()) }, wire.url)
    const summary = summarize(result)
    assert.match(summary.failure!, /ECONNREFUSED|CONNECTION/)
    assert.equal(summary.rowsRead, summary.rowsWritten + summary.rowsDeadLettered)
    assert.ok(summary.rowsWritten >= CUT_AT)
    const kept = readFileSync(summary.unwritten!.path, 'utf8').trimEnd().split('\n')
    assert.equal(kept.length, summary.unwritten!.rows)
    assert.equal(new Set(kept.map((line) => `${JSON.parse(line).file} ${JSON.parse(line).line}`)).size, kept.length)
    const text = summaryText(result)
    for (const { file } of summary.incomplete!) assert.match(text, new RegExp(`${file} .*(not read|rows? not written)`))
    assert.match(text, /Not written: .* rows?; /)

    const mended = await importHere(options, url)
    assert.equal(mended.failure, undefined)
    assert.equal(existsSync(summary.unwritten!.path), false)
    const reference = await newDatabase(serverUrl)
    await importHere({ ...options, dataDirectory: temporaryFolder() }, reference)
    assert.deepEqual(await tablesAt(url), await tablesAt(reference))
  },
)

test('a database that refuses from the start: nothing is written, and the reason is named', async () => {
  const refusing = createServer()
  await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve))
  const { port } = refusing.address() as AddressInfo
  await new Promise((resolve) => refusing.close(resolve))
  const directory = folderOf({ 'a.csv': 'id\n1\n' })
  const { code, summary, stderr } = await importByCommand([directory, '--json'], {
    cwd: temporaryFolder(),
    url: `postgres://nobody:secret@127.0.0.1:${port}/none`,
  })
  assert.equal(code, 1)
  assert.match(summary.failure!, new RegExp(`database at 127.0.0.1:${port}/none cannot be used: .*ECONNREFUSED`))
  assert.deepEqual(summary.incomplete, [{ file: 'a.csv', reason: 'not read', rowsWritten: 0 }])
  assert.ok(!stderr.includes('secret'))
})

test('columns that come and types that widen are taken over by the table of the last import', onServer, async () => {
  const url = await newDatabase(serverUrl)
  const dataDirectory = temporaryFolder()
  await importHere({ directory: folderOf({ 'a.csv': 'id,n\n1,1\n2,2\n' }), dataDirectory }, url)
  const directory = folderOf({ 'a.csv': 'id,n,day\n1,1.5,2024-01-01\n2,2,\n' })
  const result = await importHere({ directory, dataDirectory }, url)
  assert.equal(result.failure, undefined)
  const rows = await withDatabase(url, '', (database) =>
    database.query('select id, n, day::text as day from a order by id'),
  )
  assert.deepEqual(rows, [
    { id: '1', n: 1.5, day: '2024-01-01' },
    { id: '2', n: 2, day: null },
  ])
})

test('a row that the database refuses is kept apart, and its neighbours are written', onServer, async () => {
  const url = await newDatabase(serverUrl)
  const dataDirectory = temporaryFolder()
  const directory = folderOf({ 'a.csv': 'id\n1\n2\n3\n' })
  await importHere({ directory, dataDirectory }, url)
  await withDatabase(url, '', async (database) => {
    await database.query('delete from a')
    await database.query('alter table a add check (id <> 2)')
  })
  const result = await importHere({ directory, dataDirectory }, url)
  const summary = summarize(result)
  assert.deepEqual([summary.rowsRead, summary.rowsWritten, summary.rowsDeadLettered], [3, 2, 1])
  assert.equal(summary.failure, undefined)
  assert.match(readFileSync(summary.unwritten!.path, 'utf8'), /violates check constraint/)
})

test('memory does not grow with the size of a file', onServer, async () => {
  const url = await newDatabase(serverUrl)
  const rows = 120_000
  const directory = folderOf({ 'big.csv': `id,text\n${`1,${'.'.repeat(1_000)}\n`.repeat(rows)}` })
  const looks: number[] = []
  const result = await importHere(
    {
      directory,
      dataDirectory: temporaryFolder(),
      onRunning: (pipeline) => {
        const timer = setInterval(() => {
          if (pipeline.state === 'ended') return clearInterval(timer)
          if (pipeline.snapshot().nodes['postgres']!.done > rows / 4) looks.push(process.memoryUsage.rss())
        }, 20)
      },
    },
    url,
  )
  assert.equal(summarize(result).rowsWritten, rows)
  const growth = Math.max(...looks) - looks[0]!
  const stillToRead = rows * 1_000 * 0.75
  assert.ok(growth < stillToRead, `${growth} bytes more, of the ${stillToRead} that were still to be read`)
})
