import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { UsageError, readOptions } from '../../native-bench/options.js'
import { bench, folder, works } from './suites.js'

works({
  pipeline: ['trivialOverPiscina', 'trivialOverMessagePortChain', 'trivialOverOneThread', 'work20usOfIdeal'],
})

test('an unknown suite or option is refused with exit code 2, and what there is', () => {
  const suite = bench(['--suite', 'rings'])
  assert.equal(suite.status, 2)
  assert.match(suite.err, /no suite "rings".*ring, hop, pipeline/)
  const missing = bench(['--compare', join(folder, 'nothing.json')])
  assert.equal(missing.status, 2)
  assert.match(missing.err, /nothing\.json cannot be read/)
  assert.equal(bench(['--help']).status, 0)
  for (const args of [['--sweet', 'ring'], ['ring'], ['--table'], ['--draw', '--table', 'x']])
    assert.throws(() => readOptions(args, ['ring']), UsageError, args.join(' '))
})
