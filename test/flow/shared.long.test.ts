/** Instances in several processes, over HTTP: see `shared.test.ts`. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openFlowStore } from 'millrace/flow'
import { connectFlows } from 'millrace/flow/client'
import { serveFlows } from 'millrace/flow/server'
import { databaseOnServer, newDatabase } from '../import/harness.js'
import { until } from '../run/harness.js'
import { Instance } from './instances.js'
import { callsIn, spread } from './spread-flow.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-shared-'))
after(() => rmSync(folder, { recursive: true }))
const { onServer, to } = await databaseOnServer()
const newFolder = (): string => mkdtempSync(join(folder, 'run-'))

test(
  'over HTTP, an instance that runs nothing answers; a worker that drains gives back what it has; what has failed is replayed',
  { timeout: 60_000, ...onServer },
  async () => {
    const address = await newDatabase(to)
    const place = newFolder()
    await using store = await openFlowStore(address, { shared: true })
    await using server = await serveFlows([spread], { port: 0, run: { store, role: 'api' } })
    const client = connectFlows<{ spread: typeof spread }>(server.url).flow('spread')
    const one = await Instance.start({ address, role: 'all' })
    writeFileSync(join(place, 'a.left'), '')
    const answer = client.execute({ n: 1, folder: place }, { id: 'a' })
    await until(() => callsIn(place).length === 3, 'both sides of the diamond run')
    const two = await Instance.start({ address, role: 'worker' })
    const { instance } = await client.get('a')
    assert.match(instance!, new RegExp(`/${one.pid}/`))
    const drained = one.drain()
    rmSync(join(place, 'a.left'))
    assert.deepEqual(await answer, { n: 1, sum: 4 })
    await drained
    assert.deepEqual(
      new Set(
        callsIn(place)
          .slice(3)
          .map(({ pid }) => pid),
      ),
      new Set([two.pid]),
    )

    assert.deepEqual(await client.execute({ n: 2, folder: place, fails: true }, { id: 'f' }), { n: -1, sum: 14 })
    const { state, steps } = await client.get('f')
    assert.deepEqual([state, steps!.length], ['failed', 4])
    const { id } = await client.replay('f')
    const replayed = await client.ended(id)
    assert.deepEqual([replayed.state, replayed.replayOf], ['failed', 'f'])
    // What was done is not done again.
    assert.deepEqual(
      callsIn(place)
        .filter((call) => call.id.startsWith(id))
        .map((call) => call.id),
      [`${id}/both`],
    )
    const { requests, total } = await client.list({ state: 'failed' })
    assert.deepEqual([requests.map((request) => request.id), total], [[id, 'f'], 2])
    await two.drain()
  },
)
