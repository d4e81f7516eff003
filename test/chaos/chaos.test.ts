import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chaos } from '../../scripts/chaos/chaos.js'

/** Forty graphs: some three minutes on two cores. Each run has a seed of its own, and tells it. */
const KILLS = 1_000
const SEED = Date.now() % 1_000_000

test(`every record comes out exactly once, whenever workers die: ${KILLS} kills, seed ${SEED}`, async (t) => {
  const summary = await chaos(KILLS, SEED, { onFault: (text) => t.diagnostic(text) })
  t.diagnostic(JSON.stringify(summary))
  const { kills, records, lost, duplicated, faults } = summary
  assert.deepEqual({ lost, duplicated, faults }, { lost: 0, duplicated: 0, faults: 0 })
  assert.ok(kills >= KILLS && records > 0)
})
