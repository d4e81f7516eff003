import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

test('each process of a cluster runs a pipeline of its own', () => {
  const file = fileURLToPath(new URL('cluster-service.js', import.meta.url))
  const { status, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 60_000 })
  assert.equal(stderr, 'sum 14\nsum 14\n')
  assert.equal(status, 0)
})
