import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

test('a worker runs no other graph of its module, also where the module comes to that late', () => {
  const file = fileURLToPath(new URL('modules/two-late.js', import.meta.url))
  const { status, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 60_000 })
  assert.equal(stderr, 'first 1\nsecond 1\n')
  assert.equal(status, 0)
})
