/** Requests outlive their process: every store, with processes that are killed. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestOptions, after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type FlowStore, MemoryFlowStore, type StoreChange, openFlowStore, runFlow } from 'millrace/flow'
import { openSqlite } from '#src/trace/store/sql/sqlite.js'
import { databaseOnServer, newDatabase } from '../import/harness.js'
import { until } from '../run/harness.js'
import { deaf } from './complaint-flows.js'
import { kept, said, trip } from './flows.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-flows-'))
after(() => rmSync(folder, { recursive: true }))
const PROGRAM = fileURLToPath(new URL('kept-process.js', import.meta.url))
const hasSqlite = await openSqlite(':memory:').then(
  (database) => {
    database.close()
    return true
  },
  () => false,
)
const { onServer, to } = await databaseOnServer()

const STORES: readonly { name: string; options: TestOptions; address: () => string | Promise<string> }[] = [
  {
    name: 'sqlite',
    options: hasSqlite ? {} : { skip: 'neither node:sqlite nor better-sqlite3 is there' },
    address: () => join(mkdtempSync(join(folder, 'db-')), 'flows.db'),
  },
  { name: 'postgres', options: onServer, address: () => newDatabase(to) },
]

const linesOf = (log: string): string[] => readFileSync(log, 'utf8').trim().split('\n')

/** @returns the first line that the process says */
async function said1(address: string, logs: string, mode: string, isKilled: boolean): Promise<string> {
  const child = spawn(process.execPath, [PROGRAM, address, logs, mode], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
  if (isKilled) child.kill('SIGKILL')
  await once(child, 'exit')
  return chunk.toString()
}

for (const { name, options, address } of STORES) {
  test(
    `${name}: after a kill, open requests go on where they were, and what was done is not done again`,
    { timeout: 120_000, ...options },
    async () => {
      const logs = mkdtempSync(join(folder, 'logs-'))
      const place = await address()
      assert.equal(await said1(place, logs, 'begin', true), 'begun\n')
      for (const id of ['a', 'b', 'c']) rmSync(join(logs, `${id}.item1`))
      const { states, answers } = JSON.parse(await said1(place, logs, 'go on', false)) as Record<string, unknown>
      assert.deepEqual(states, ['succeeded', 'running', 'running', 'running', 'paused'])
      const four = [0, 1, 2, 3]
      assert.deepEqual(answers, [[0, 1], four, four, four, [0]])
      for (const id of ['a', 'b', 'c']) {
        const done = linesOf(join(logs, id)).toSorted()
        // The item whose step ran when the process was killed is the only one that is called again.
        assert.deepEqual(done, ['first', 'item0', 'item1', 'item1', 'item2', 'item3', 'last', 'left', 'right'])
      }
      assert.equal(linesOf(join(logs, 'ended')).length, 6)
    },
  )

  test(
    `${name}: a second process is refused; what is forgotten is deleted; a request is known by its id after a restart`,
    { timeout: 60_000, ...options },
    async () => {
      const place = await address()
      const logs = mkdtempSync(join(folder, 'logs-'))
      const ask = (id: string): { log: string; items: number } => ({ log: join(logs, id), items: 1 })
      const store = await openFlowStore(place)
      await assert.rejects(openFlowStore(place), { code: 'FLOW_STORE_UNUSABLE' })
      const running = await runFlow(kept, { store, keepRequests: 2 })
      for (const id of ['x', 'y', 'z']) await running.start(ask(id), { id, hash: `of ${id}` }).ended
      await running.drain()
      await store.close()
      await using again = await openFlowStore(place)
      await using second = await runFlow(kept, { store: again })
      assert.deepEqual(
        second.list().map(({ id, state }) => [id, state]),
        [
          ['z', 'succeeded'],
          ['y', 'succeeded'],
        ],
      )
      assert.deepEqual(await second.execute(ask('z'), { id: 'z', hash: 'of z' }), [0])
      assert.throws(() => second.start(ask('z'), { id: 'z', hash: 'of another' }), { code: 'KEY_REUSED' })
      assert.equal(linesOf(join(logs, 'z')).length, 5)
    },
  )
}

/** A store that is away for a while. */
class Leaving extends MemoryFlowStore implements FlowStore {
  isAway = false

  override save(changes: readonly StoreChange[]): Promise<void> {
    return this.isAway ? Promise.reject(new Error('away')) : super.save(changes)
  }
}

test('while a store is away, requests go on and new ones are refused; what it missed is saved once it is back', async () => {
  const store = new Leaving()
  const logs = mkdtempSync(join(folder, 'logs-'))
  const running = await runFlow(kept, { store })
  store.isAway = true
  assert.deepEqual(await running.execute({ log: join(logs, 'one'), items: 2 }, { id: 'one' }), [0, 1])
  const refused = await running.execute({ log: join(logs, 'two'), items: 1 }).catch((error: { code: string }) => error)
  assert.equal((refused as { code: string }).code, 'FLOW_STORE_UNUSABLE')
  store.isAway = false
  await until(() => running.start({ log: join(logs, 'three'), items: 1 }).state !== 'failed', 'it is back')
  await running.drain()
  const stored = await store.load('kept')
  assert.ok(stored.some(({ id }) => id === 'one'))
})

test('compensation goes on in the next run, and so does what a stopped pipeline left open', async () => {
  const store = new MemoryFlowStore()
  const log = join(folder, 'trip')
  const first = await runFlow(trip, { store })
  const request = first.start({ id: 't', log, waits: 'car' }, { id: 't' })
  await until(() => request.view().steps!.length === 3, 'all but the last is booked')
  await first.pipeline.stop()
  await assert.rejects(request.answer)
  await using second = await runFlow(trip, { store })
  const again = second.get('t')!
  assert.equal(again.state, 'running')
  await second.stop('t')
  assert.deepEqual(linesOf(log).slice(-2), ['no flight of t', 'no hotel of t'])
  assert.equal(linesOf(log).filter((line) => line === 'hotel of t').length, 1)
})

test('a request that was to stop when its process was killed is stopped in the next one, and calls nothing', async () => {
  const store = new MemoryFlowStore()
  const counts = new SharedArrayBuffer(16)
  const words = new Int32Array(counts)
  const first = await runFlow(deaf, { store, params: { counts } })
  const request = first.start(1, { id: 'stopped' })
  await until(() => words[0] === 1, 'it runs')
  const stopped = first.stop('stopped')
  await request.saved
  // The first process is as good as dead: its step never ends by itself.
  await using second = await runFlow(deaf, { store, params: { counts } })
  const again = second.get('stopped')!
  await again.ended
  assert.equal(again.state, 'stopped')
  await assert.rejects(again.answer, { code: 'REQUEST_STOPPED' })
  assert.deepEqual([words[0], words[2]], [1, 0])
  Atomics.store(words, 1, 1)
  Atomics.notify(words, 1)
  await stopped
  await first.drain()
})

test('a flow that does not keep its steps has no use for a store', async () => {
  await assert.rejects(runFlow(said, { store: new MemoryFlowStore() }), { code: 'STEPS_NOT_KEPT' })
})
