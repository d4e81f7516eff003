/** Kills of the whole process: 500 with a ledger in a file, 500 with a table of PostgreSQL. `SEED` and `KILLS` take others. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '#src/test-kit/random.js'
import { killOften } from './kills.js'
import { isPostgresAway, killIntoTable } from './table-kills.js'

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1_000_000))
const kills = Number(process.env['KILLS'] ?? 500)

test(`${kills} kills: nothing that was accepted is lost`, async (context) => {
  const outcome = await killOften({ kind: 'ledger', kills, random: new Random(seed), place: {} })
  context.diagnostic(JSON.stringify({ seed, ...outcome }))
  assert.deepEqual([outcome.lost, outcome.mixedUp], [[], []], `seed ${seed}`)
})

test(`${kills} kills: each accepted record is in the table once`, { skip: await isPostgresAway() }, async (context) => {
  const outcome = await killIntoTable(kills, seed)
  context.diagnostic(JSON.stringify({ seed, ...outcome }))
  assert.deepEqual([outcome.lost, outcome.again, outcome.mixedUp], [[], 0, []], `seed ${seed}`)
})
