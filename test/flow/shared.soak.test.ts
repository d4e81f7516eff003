/** Bad days of instances that share a store: kills, stopped processes, a database that is away. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openFlowStore, runFlow } from 'millrace/flow'
import { Proxy } from '../connectors/proxy.js'
import { databaseOnServer, newDatabase } from '../import/harness.js'
import { randomOf } from '../rehearse/random-graphs.js'
import { until } from '../run/harness.js'
import { Instance } from './instances.js'
import { STEPS, type Spread, callsIn, spread } from './spread-flow.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-shared-'))
after(() => rmSync(folder, { recursive: true }))
const { onServer, to } = await databaseOnServer()
const newFolder = (): string => mkdtempSync(join(folder, 'run-'))
const LEASE_MS = 1_000

const callsOf = (place: string, id: string): readonly string[] =>
  callsIn(place)
    .filter((call) => call.id === id)
    .map((call) => call.id)
const effectsIn = (place: string): readonly string[] => readdirSync(place).filter((name) => name.startsWith('effect '))

test(
  'a process that is stopped for longer than its lease starts no step afterwards, and what it still says is dropped',
  { timeout: 120_000, ...onServer },
  async () => {
    const address = await newDatabase(to)
    const place = newFolder()
    await using store = await openFlowStore(address, { shared: true })
    await using api = await runFlow(spread, { store, role: 'api' })
    const worker = { address, role: 'worker', leaseMs: LEASE_MS } as const
    const stopped = await Instance.start(worker)
    // One that runs its first step, one that is in the middle of its diamond, and some that wait.
    const asked = Array.from({ length: 6 }, (_, n) => ({ id: `r${n}`, n }))
    for (const { id } of asked) writeFileSync(join(place, `${id}.${id === 'r0' ? 'first' : 'left'}`), '')
    const requests = asked.map(({ id, n }) => api.start({ n, folder: place }, { id }))
    await until(() => callsIn(place).filter(({ id }) => id.endsWith('/right')).length === 5, 'all run')
    // What is done is saved.
    for (const { id } of asked) while ((await api.get(id))!.view().steps!.length < (id === 'r0' ? 0 : 2));
    stopped.signal('SIGSTOP')
    const stoppedAt = Date.now()
    const other = await Instance.start(worker)
    await until(
      () => callsIn(place).filter(({ pid }) => pid === other.pid).length >= asked.length,
      'it takes them over',
    )
    for (const { id } of asked) rmSync(join(place, `${id}.${id === 'r0' ? 'first' : 'left'}`))
    // Some of them are still to be done when it wakes up.
    stopped.signal('SIGCONT')
    const answers = await Promise.all(requests.map(({ answer }) => answer))
    assert.deepEqual(
      answers,
      asked.map(({ n }) => ({ n, sum: 3 * n + 1 })),
    )
    await until(() => effectsIn(place).length === asked.length * STEPS.length, 'its last steps end too')
    const late = callsIn(place).filter(({ pid, at }) => pid === stopped.pid && at > stoppedAt)
    assert.deepEqual(late, [])
    for (const { id } of asked)
      for (const step of STEPS) {
        const running = id === 'r0' ? 'first' : 'left'
        assert.equal(callsOf(place, `${id}/${step}`).length, step === running ? 2 : 1, `${id}/${step}`)
      }
    while ((await stopped.ask('dropped')) < 1) await sleep(20)
    // It goes on under another name.
    const next = api.start({ n: 7, folder: place }, { id: 'next' })
    await other.drain()
    assert.deepEqual(await next.answer, { n: 7, sum: 22 })
    await stopped.drain()
  },
)

test(
  'while the database is away, requests are refused and no step starts after the lease; later, all go on',
  { timeout: 120_000, ...onServer },
  async () => {
    const address = await newDatabase(to)
    const place = newFolder()
    await using way = await Proxy.to(Number(new URL(address).port || 5432))
    const url = new URL(address)
    url.port = String(way.port)
    await using store = await openFlowStore(url.href, { shared: true })
    await using api = await runFlow(spread, { store, role: 'api' })
    const worker = await Instance.start({ address: url.href, role: 'worker', leaseMs: LEASE_MS })
    for (const id of ['a', 'b']) writeFileSync(join(place, `${id}.left`), '')
    const requests = ['a', 'b'].map((id) => api.start({ n: 1, folder: place }, { id }))
    await until(() => callsIn(place).length === 6, 'both run')
    way.close()
    const refused = api.start({ n: 2, folder: place }, { id: 'refused' })
    await assert.rejects(refused.answer, { code: 'FLOW_STORE_UNUSABLE' })
    await assert.rejects(refused.saved, { code: 'FLOW_STORE_UNUSABLE' })
    await assert.rejects(api.stop('a'), { code: 'FLOW_STORE_UNUSABLE' })
    await sleep(2 * LEASE_MS)
    // What these steps answer is kept until the store is back; the next step is not called.
    for (const id of ['a', 'b']) rmSync(join(place, `${id}.left`))
    await sleep(LEASE_MS)
    assert.equal(callsIn(place).length, 6)
    way.open()
    assert.deepEqual(
      await Promise.all(requests.map(({ answer }) => answer)),
      requests.map(() => ({ n: 1, sum: 4 })),
    )
    assert.deepEqual(
      callsIn(place)
        .map(({ id }) => id)
        .toSorted(),
      ['a', 'b'].flatMap((id) => STEPS.map((step) => `${id}/${step}`)).toSorted(),
    )
    assert.deepEqual(await api.execute({ n: 2, folder: place }, { id: 'refused' }), { n: 2, sum: 7 })
    await worker.drain()
  },
)

test(
  'two apis and three workers, 300 requests and kills at random: each is answered once, with its own answer',
  { timeout: 600_000, ...onServer },
  async (t) => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
    t.diagnostic(`SEED=${seed}`)
    const next = randomOf(seed)
    const address = await newDatabase(to)
    const place = newFolder()
    const worker = { address, role: 'worker', leaseMs: LEASE_MS } as const
    const api = { address, role: 'api' } as const
    const apis = await Promise.all([Instance.start(api), Instance.start(api)])
    const workers = await Promise.all([Instance.start(worker), Instance.start(worker), Instance.start(worker)])
    let [left, kills] = [300, 0]
    const ask = async (n: number): Promise<void> => {
      const input: Spread = { n, folder: place, waitMs: Math.floor(next() * 1_000) }
      for (;;) {
        const answer = apis[n % 2]!.ask('execute', `r${n}`, input as never)
        const said = await answer.catch((error: { code: string }) => error.code)
        if (said === 'KILLED') {
          await sleep(50)
          continue
        }
        assert.deepEqual(said, { n, sum: 3 * n + 1 })
        left--
        return
      }
    }
    const all = Array.from({ length: 300 }, (_, n) => ask(n))
    const over = Promise.all(all)
    while ((await Promise.race([over.then(() => 'over'), sleep(200 + next() * 800)])) !== 'over') {
      const at = Math.floor(next() * 6)
      if (at < 3) {
        await workers[at]!.kill()
        workers[at] = await Instance.start(worker)
        kills++
      } else if (at === 3) {
        workers[0].signal('SIGSTOP')
        await sleep(next() * 3 * LEASE_MS)
        workers[0].signal('SIGCONT')
        kills++
      } else if (at === 4 && kills % 3 === 0) {
        const which = kills % 2
        const old = apis[which]!
        apis[which] = await Instance.start(api)
        await old.kill()
        kills++
      }
    }
    t.diagnostic(`${kills} kills and stops, ${callsIn(place).length} calls for ${effectsIn(place).length} effects`)
    assert.equal(left, 0)
    assert.equal(effectsIn(place).length, 300 * STEPS.length)
    const known = await apis[0].ask('list')
    assert.equal(known.length, 300)
    assert.ok(known.every(({ state }) => state === 'succeeded'))
    await Promise.all([...apis, ...workers].map((instance) => instance.kill()))
  },
)
