import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chaos } from '../../scripts/chaos/chaos.js'

/** As many as a run of all tests has time for; `npm run chaos -- --kills N` does more. */
const KILLS = 100

test(`every record comes out exactly once, whenever workers die: ${KILLS} kills of six kinds in random graphs`, async (t) => {
  const seed = Math.floor(Math.random() * 1_000_000)
  const summary = await chaos(KILLS, seed, { onFault: (text) => t.diagnostic(text) })
  t.diagnostic(JSON.stringify(summary))
  const { kills, records, lost, duplicated, faults } = summary
  assert.deepEqual({ lost, duplicated, faults }, { lost: 0, duplicated: 0, faults: 0 })
  assert.ok(kills >= KILLS && records > 0)
})
