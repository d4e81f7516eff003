/** Bad days of instances that share a store: kills, stopped processes, a database that is away. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openFlowStore, runFlow } from 'millrace/flow'
import { Proxy } from '../connectors/proxy.js'
import { databaseOnServer, newDatabase } from '../import/harness.js'
import { randomOf } from '../rehearse/random-graphs.js'
import { until } from '../run/harness.js'
import { trip } from './flows.js'
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
  'a worker whose server does not answer calls no step after its lease: another one takes over, and what it says later is dropped',
  { timeout: 120_000, ...onServer },
  async () => {
    const address = await newDatabase(to)
    const place = newFolder()
    await using way = await Proxy.to(Number(new URL(address).port || 5432))
    const url = new URL(address)
    url.port = String(way.port)
    await using store = await openFlowStore(address, { shared: true })
    await using api = await runFlow(spread, { store, role: 'api' })
    const cut = await Instance.start({ address: url.href, role: 'worker', leaseMs: LEASE_MS })
    writeFileSync(join(place, 'a.left'), '')
    const request = api.start({ n: 1, folder: place }, { id: 'a' })
    await until(() => callsIn(place).length === 3, 'it runs')
    while ((await api.get('a'))!.view().steps!.length < 2);
    way.silence()
    const other = await Instance.start({ address, role: 'worker', leaseMs: LEASE_MS })
    await until(() => callsIn(place).some(({ pid }) => pid === other.pid), 'it is taken over')
    rmSync(join(place, 'a.left'))
    assert.deepEqual(await request.answer, { n: 1, sum: 4 })
    way.speak()
    while ((await cut.ask('dropped')) < 1) await sleep(20)
    const counts = STEPS.map((step) => callsOf(place, `a/${step}`).length)
    assert.deepEqual(counts, [1, 2, 1, 1, 1])
    await other.drain()
    assert.deepEqual(await api.execute({ n: 2, folder: place }), { n: 2, sum: 7 })
    await cut.drain()
  },
)

test(
  'requests of a process that used the store alone go on in instances that share it, and the other way round; so does undoing',
  { timeout: 120_000, ...onServer },
  async () => {
    const address = await newDatabase(to)
    const place = newFolder()
    const input: Spread = { n: 1, folder: place }
    const log = join(place, 'trip')
    {
      await using store = await openFlowStore(address)
      const alone = await runFlow(spread, { store })
      await alone.execute(input, { id: 'ended' })
      writeFileSync(join(place, 'paused.first'), '')
      writeFileSync(join(place, 'open.left'), '')
      for (const id of ['paused', 'open']) alone.start(input, { id })
      await until(() => callsIn(place).length === 9, 'both run')
      await alone.pause('paused')
      rmSync(join(place, 'paused.first'))
      await until(() => alone.get('paused')!.view().steps!.length === 1, 'its step has ended')
      const stopped = alone.pipeline.stop({ deadlineMs: 2_000 })
      rmSync(join(place, 'open.left'))
      await stopped
      await alone.drain().catch(() => undefined)
    }
    {
      await using store = await openFlowStore(address, { shared: true })
      await using all = await runFlow(spread, { store, role: 'all', leaseMs: LEASE_MS })
      assert.deepEqual(await (await all.get('open'))!.answer, { n: 1, sum: 4 })
      assert.deepEqual(await all.execute(input, { id: 'ended' }), { n: 1, sum: 4 })
      assert.equal((await all.get('paused'))!.state, 'paused')
      assert.deepEqual(await all.load(), { open: 1, queued: 0 })
      await using trips = await runFlow(trip, { store, role: 'all', leaseMs: LEASE_MS })
      const travel = trips.start({ id: 't', log, waits: 'car' }, { id: 't' })
      await travel.saved
      await until(() => travel.view().steps!.length === 3, 'all but the last is booked')
      const failed = trips.start({ id: 'f', log, fails: 'car' }, { id: 'f' })
      await assert.rejects(failed.answer, { code: 'REQUEST_FAILED' })
      await failed.ended
      assert.deepEqual(
        failed
          .view()
          .steps!.map(({ state }) => state)
          .toSorted(),
        ['done', 'failed', 'undone', 'undone'],
      )
      const end = trips.stop('t')
      await assert.rejects(travel.answer, { code: 'REQUEST_STOPPED' })
      await end
      assert.deepEqual(readFileSync(log, 'utf8').trim().split('\n').slice(-2), ['no flight of t', 'no hotel of t'])
    }
    await using store = await openFlowStore(address)
    await using again = await runFlow(spread, { store })
    const states = Object.fromEntries(again.list().map(({ id, state }) => [id, state]))
    assert.deepEqual(states, { ended: 'succeeded', open: 'succeeded', paused: 'paused' })
    await again.resume('paused')
    assert.deepEqual(await again.execute(input, { id: 'paused' }), { n: 1, sum: 4 })
    assert.equal(callsOf(place, 'paused/first').length, 1)
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
