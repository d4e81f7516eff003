/** With a sink whose rows have the stable id as their key, nothing that was accepted is lost, and nothing is there twice. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPostgresAway, killIntoTable } from './table-kills.js'

test(
  'a table gets each accepted record once, however often the process is killed',
  { skip: await isPostgresAway() },
  async () => {
    const seed = Number(process.env['SEED'] ?? 2)
    const { lost, again, mixedUp, accepted } = await killIntoTable(5, seed)
    assert.deepEqual({ lost, again, mixedUp }, { lost: [], again: 0, mixedUp: [] }, `seed ${seed}`)
    assert.ok(accepted > 50, `${accepted} were accepted`)
  },
)
