import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chaos } from '../../scripts/chaos/chaos.js'

/** One round of one graph: what a run of all tests has time for. `npm run chaos -- --kills N` does more, on random graphs. */
const KILLS = 25
const SEED = 4242

test(`every record comes out exactly once, whenever workers die: ${KILLS} kills in a random graph`, async (t) => {
  const summary = await chaos(KILLS, SEED, { onFault: (text) => t.diagnostic(text) })
  t.diagnostic(JSON.stringify(summary))
  const { kills, records, lost, duplicated, faults } = summary
  assert.deepEqual({ lost, duplicated, faults }, { lost: 0, duplicated: 0, faults: 0 })
  assert.ok(kills >= KILLS && records > 0)
})
