import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chaos } from '../../scripts/chaos/chaos.js'

/** A test that kills so many workers of random graphs. */
export function killAll(kills: number, seed: number): void {
  test(`every record comes out exactly once, whenever workers die: ${kills} kills, seed ${seed}`, async (t) => {
    const summary = await chaos(kills, seed, { onFault: (text) => t.diagnostic(text) })
    t.diagnostic(JSON.stringify(summary))
    const { lost, duplicated, faults } = summary
    assert.deepEqual({ lost, duplicated, faults }, { lost: 0, duplicated: 0, faults: 0 })
    assert.ok(summary.kills >= kills && summary.records > 0)
  })
}
