import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { bench, folder, works } from './suites.js'

works({
  pipeline: ['trivialOverPiscina', 'trivialOverMessagePortChain', 'trivialOverOneThread', 'work20usOfIdeal'],
})

test('an unknown suite or option is refused with exit code 2, and what there is', () => {
  const suite = bench(['--suite', 'rings'])
  assert.equal(suite.status, 2)
  assert.match(suite.err, /no suite "rings".*ring, hop, pipeline/)
  const option = bench(['--sweet', 'ring'])
  assert.equal(option.status, 2)
  assert.match(option.err, /--sweet/)
  assert.equal(bench(['ring']).status, 2)
  assert.equal(bench(['--table']).status, 2)
  const missing = bench(['--compare', join(folder, 'nothing.json')])
  assert.equal(missing.status, 2)
  assert.match(missing.err, /nothing\.json cannot be read/)
  assert.equal(bench(['--draw', '--table', 'x']).status, 2)
  assert.equal(bench(['--help']).status, 0)
})
