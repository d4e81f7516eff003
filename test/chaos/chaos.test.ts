import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chaos } from '../../scripts/chaos/chaos.js'

/** Eight graphs, under a minute on two cores: the net does the many deaths (`test/net`). The seed is fixed, so that a failure is the change's; `npm run chaos` takes others. */
const KILLS = 200
const SEED = 90_302

test(`every record comes out exactly once, whenever workers die: ${KILLS} kills, seed ${SEED}`, async (t) => {
  const summary = await chaos(KILLS, SEED, { onFault: (text) => t.diagnostic(text) })
  t.diagnostic(JSON.stringify(summary))
  const { kills, records, lost, duplicated, faults } = summary
  assert.deepEqual({ lost, duplicated, faults }, { lost: 0, duplicated: 0, faults: 0 })
  assert.ok(kills >= KILLS && records > 0)
})
