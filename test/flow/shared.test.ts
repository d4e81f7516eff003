/** Instances in several processes share the requests of a flow: real processes, and a real server. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { MemoryFlowStore, type SharedFlow, openFlowStore, runFlow } from 'millrace/flow'
import { databaseOnServer, newDatabase } from '../import/harness.js'
import { until } from '../run/harness.js'
import { Instance } from './instances.js'
import { type Spread, callsIn, spread } from './spread-flow.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-shared-'))
after(() => rmSync(folder, { recursive: true }))
const { onServer, to } = await databaseOnServer()
const newFolder = (): string => mkdtempSync(join(folder, 'run-'))

const stepsOf = async (api: SharedFlow<any, any>, id: string): Promise<readonly string[]> =>
  (await api.get(id))!.view().steps!.map(({ step }) => step)

test(
  'any worker runs what any api takes; when it is killed, another one goes on where it was; any api pauses, resumes and stops',
  { timeout: 60_000, ...onServer },
  async () => {
    const address = await newDatabase(to)
    const place = newFolder()
    const input: Spread = { n: 3, folder: place }
    const worker = { address, role: 'worker', leaseMs: 1_000 } as const
    const [one, two] = await Promise.all([Instance.start(worker), Instance.start(worker)])
    await using store = await openFlowStore(address, { shared: true })
    await using here = await runFlow(spread, { store, role: 'api' })
    await using there = await runFlow(spread, { store, role: 'api' })

    writeFileSync(join(place, 'a.right'), '')
    const [first, second] = [here, there].map((api) => api.start(input, { id: 'a', hash: 'of a' }))
    await Promise.all([first!.saved, second!.saved])
    await assert.rejects(there.execute(input, { id: 'a', hash: 'of another' }), { code: 'KEY_REUSED' })
    while ((await stepsOf(there, 'a')).length < 2);
    const { pid } = callsIn(place)[0]!
    const [owner, other] = pid === one.pid ? [one, two] : [two, one]
    await owner.kill()
    rmSync(join(place, 'a.right'))
    const answers = await Promise.all([first!.answer, second!.answer, here.execute(input, { id: 'a' })])
    assert.deepEqual(
      answers,
      [1, 2, 3].map(() => ({ n: 3, sum: 10 })),
    )
    const calls = callsIn(place)
    const called = ['a/both', 'a/first', 'a/last', 'a/left', 'a/right', 'a/right']
    assert.deepEqual(calls.map(({ id }) => id).toSorted(), called)
    assert.deepEqual(new Set(calls.slice(3).map((call) => call.pid)), new Set([other.pid]))

    writeFileSync(join(place, 'b.first'), '')
    const paused = here.start(input, { id: 'b' })
    await until(() => callsIn(place).length === 7, 'its first step runs')
    await there.pause('b')
    assert.equal(paused.state, 'paused')
    rmSync(join(place, 'b.first'))
    while ((await stepsOf(there, 'b')).length < 1);
    assert.equal((await there.list({ state: 'paused' }))[0]!.id, 'b')
    await there.resume('b')
    assert.deepEqual(await paused.answer, { n: 3, sum: 10 })
    assert.equal(callsIn(place).filter(({ id }) => id === 'b/first').length, 1)

    writeFileSync(join(place, 'c.left'), '')
    const stopped = here.start(input, { id: 'c' })
    const late = here.start(input, { id: 'c2', timeoutMs: 1 })
    await until(() => callsIn(place).some(({ id }) => id === 'c/left'), 'it runs')
    const end = there.stop('c')
    await assert.rejects(late.answer, { code: 'REQUEST_TIMED_OUT' })
    await Promise.all([end, late.ended])
    await assert.rejects(stopped.answer, { code: 'REQUEST_STOPPED' })
    assert.equal((await there.get('c2'))!.state, 'timedOut')
    await assert.rejects(there.pause('c'), { code: 'REQUEST_ENDED' })
    await assert.rejects(there.stop('nobody'), { code: 'REQUEST_UNKNOWN' })
    await other.drain()
  },
)

test(
  'a store is used by one process alone, or by several together; a role needs one that is shared',
  onServer,
  async () => {
    const address = await newDatabase(to)
    const alone = await openFlowStore(address)
    await assert.rejects(openFlowStore(address, { shared: true }), { code: 'FLOW_STORE_UNUSABLE' })
    await assert.rejects(runFlow(spread, { store: alone as never, role: 'all' }), { code: 'FLOW_STORE_NOT_SHARED' })
    await alone.close()
    await using together = await openFlowStore(address, { shared: true })
    await using again = await openFlowStore(address, { shared: true })
    await assert.rejects(openFlowStore(address), { code: 'FLOW_STORE_UNUSABLE' })
    await assert.rejects(runFlow(spread, { store: again as never }), { code: 'FLOW_ROLE_MISSING' })
    const wrong = { store: together, role: 'boss' as never }
    await assert.rejects(runFlow(spread, wrong), { code: 'OPTIONS_INVALID' })
    await assert.rejects(runFlow(spread, { store: together, role: 'api', leaseMs: 1 }), { code: 'OPTIONS_INVALID' })
  },
)

test('a role without a store, or with one for a single process, is refused', async () => {
  await assert.rejects(runFlow(spread, { role: 'api' } as never), { code: 'FLOW_STORE_NOT_SHARED' })
  const store = new MemoryFlowStore() as never
  await assert.rejects(runFlow(spread, { role: 'worker', store }), { code: 'FLOW_STORE_NOT_SHARED' })
  await assert.rejects(openFlowStore('requests.db', { shared: true }), { code: 'FLOW_STORE_NOT_SHARED' })
})
