/** What breaks while an import runs into a server: workers, connections, the server, the process itself. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pipeline } from 'millrace'
import { isAway } from '#src/import/database.js'
import type { Summary } from 'millrace/import'
import {
  databaseOnServer,
  folderOf,
  importByCommand,
  importHere,
  put,
  rowsAt,
  tablesOf,
  temporaryFolder,
  withDatabase,
} from './harness.js'
import { Wire } from './wire.js'

const { onServer, to } = await databaseOnServer()

const lines = (count: number): string => Array.from({ length: count }, (_, i) => `${i},${'.'.repeat(100)}\n`).join('')
/** Small files of one piece, and one of many. */
const MIXED = {
  ...Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`small${i}.csv`, `id,text\n${lines(50 + i)}`])),
  'large.csv': `id,text\n${lines(60_000)}`,
}

/** Acts once, when so many pieces have come to an end in `load`. */
function whenLoaded(pieces: number, act: () => void): (pipeline: Pipeline) => void {
  return (pipeline) => {
    const timer = setInterval(() => {
      if (pipeline.snapshot().nodes['load']!.done < pieces && pipeline.state !== 'ended') return
      clearInterval(timer)
      act()
    }, 2)
  }
}

const tablesAt = (schema: string): Promise<Record<string, string>> =>
  withDatabase(to, '', (database) => tablesOf(database, schema))

test('workers that die at any stage change no table; the second import writes nothing', onServer, async () => {
  const calm = folderOf(MIXED, 'calm')
  const { rows } = await importHere({ directory: calm, to, connections: 2 })
  const expected = await tablesAt('calm')
  const directory = folderOf(MIXED, 'stormy')
  const stages = ['load', 'parse', 'files', 'load', 'load']
  const onRunning = (pipeline: Pipeline): void => {
    const timer = setInterval(() => {
      if (pipeline.state === 'ended' || stages.length === 0) return clearInterval(timer)
      if (pipeline.snapshot().nodes['load']!.done > 2 * (6 - stages.length)) {
        void pipeline.restartWorker(stages.shift()!, 0).catch(() => undefined)
      }
    }, 2)
  }
  const stormy = await importHere({ directory, to, connections: 2, onRunning })
  assert.deepEqual([stormy.failure, stormy.failed, stormy.rows], [undefined, 0, rows])
  assert.ok(stages.length < 3, `killed all but ${stages.join()}`)
  assert.deepEqual(await tablesAt('stormy'), expected)
  const again = await importHere({ directory, to, connections: 2 })
  assert.deepEqual([again.rows, again.inserted, again.deleted], [rows, 0, 0])
  assert.deepEqual(
    await rowsAt(
      to,
      `select table_name from information_schema.tables where table_schema = 'millrace_imports' and table_name like 'stage%'`,
    ),
    [],
  )
})

test(
  'a worker that follows another finds the job of its own import, whatever else the process imports',
  onServer,
  async () => {
    const directory = folderOf({ 'a.csv': 'place\neast\n' }, 'east')
    await importHere({ directory, to })
    put(directory, { 'a.csv': 'place\nfar east\n' })
    let east!: Promise<Summary>
    await withDatabase(to, '', (database) =>
      database.transaction(async () => {
        // Until this ends, the import cannot.
        await database.execute('lock table east.a in access exclusive mode')
        const running = new Promise<Pipeline>((resolve) => {
          east = importHere({ directory, to, onRunning: resolve })
        })
        const pipeline = await running
        const west = await importHere({
          directory: folderOf({ 'a.csv': 'place\nwest\n' }, 'west'),
          to,
          onRunning: () => void pipeline.restartWorker('load', 0),
        })
        assert.deepEqual([west.failure, west.imported], [undefined, 1])
      }),
    )
    const { failure, imported, results } = await east
    assert.deepEqual([failure, imported], [undefined, 1], JSON.stringify(results))
    assert.deepEqual(await rowsAt(to, 'select place from east.a union all select place from west.a'), [
      ['far east'],
      ['west'],
    ])
  },
)

test('a server that goes away for a moment is waited for', onServer, async () => {
  const wire = await Wire.to(to)
  const cut = (): void => {
    wire.cut()
    setTimeout(() => void wire.mend(), 300)
  }
  const directory = folderOf(MIXED, 'moment')
  const summary = await importHere({ directory, to: wire.url, connections: 2, onRunning: whenLoaded(9, cut) })
  assert.deepEqual([summary.failure, summary.failed], [undefined, 0])
  assert.deepEqual(await tablesAt('moment'), await tablesAt('calm'))
})

test(
  'a server that stays away: what is not imported is named, and the next import goes on from there',
  onServer,
  async () => {
    const wire = await Wire.to(to)
    const directory = folderOf(MIXED, 'away')
    const broken = await importHere({
      directory,
      to: wire.url,
      connections: 2,
      onRunning: whenLoaded(9, () => wire.cut()),
    })
    assert.match(broken.failure!, /ECONNREFUSED|CONNECTION|connection/)
    const notRead = broken.results.filter(({ outcome }) => outcome === 'not read').map(({ path }) => path)
    assert.ok(notRead.includes('large.csv'), notRead.join())
    assert.equal(broken.failed, notRead.length)
    const [staged] = await rowsAt(to, 'select max(staged) as staged from millrace_imports.loads')
    assert.ok(Number(staged![0]) > 0, 'pieces that were staged are there')
    const mended = await importHere({ directory, to })
    assert.deepEqual([mended.failure, mended.failed], [undefined, 0])
    assert.deepEqual(await tablesAt('away'), await tablesAt('calm'))
  },
)

test('a process that is killed at once leaves nothing half, and the next import ends the work', onServer, async () => {
  const directory = folderOf(MIXED, 'killed')
  const cwd = temporaryFolder()
  const killed = await importByCommand([directory, '--to', to], {
    cwd,
    onStart: (child) =>
      void withDatabase(to, '', async (database) => {
        // As soon as it is in the books it has begun to load.
        const asked = `select 1 from millrace_imports.runs join millrace_imports.sources on sources.id = source where name = 'killed'`
        while (child.exitCode === null && child.signalCode === null) {
          const rows = await database.query(asked, []).catch(() => [])
          if (rows.length > 0) child.kill('SIGKILL')
        }
      }),
  })
  assert.equal(killed.code, null)
  const { code, summary, stderr } = await importByCommand([directory, '--to', to, '--json'], { cwd })
  assert.deepEqual([code, summary.failed, summary.files], [0, 0, 7], stderr)
  assert.deepEqual(await tablesAt('killed'), await tablesAt('calm'))
})

test('each query is answered or refused, at whatever instant its connection breaks', onServer, async () => {
  const wire = await Wire.to(to)
  await withDatabase(wire.url, '', async (database) => {
    const timer = setInterval(() => wire.reset(), 17)
    const refusals: unknown[] = []
    while (refusals.length < 30) {
      const asked = database.query('select length($1::text)', ['.'.repeat(200_000)])
      await asked.catch((error: unknown) => refusals.push(error))
    }
    clearInterval(timer)
    assert.deepEqual(
      refusals.filter((error) => !isAway(error)),
      [],
    )
  })
})

test('a transaction whose connection breaks does nothing on another one', onServer, async () => {
  const wire = await Wire.to(to)
  await withDatabase(to, '', (database) => database.execute('create table parts (v integer)'))
  await withDatabase(wire.url, '', async (database) => {
    for (let i = 0; i < 10; i++) {
      const broken = database.transaction(async () => {
        await database.execute('insert into parts values (1)')
        wire.reset()
        await database.execute('insert into parts values (2)').catch(() => undefined)
        await database.execute('insert into parts values (3)')
      })
      await assert.rejects(broken, isAway)
    }
    await database.transaction(() => database.execute('insert into parts values (4)'))
  })
  assert.deepEqual(await rowsAt(to, 'select v from parts'), [['4']])
})
