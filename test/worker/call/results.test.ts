import assert from 'node:assert/strict'
import { test } from 'node:test'
import { branchOf, keyOf, settled } from '#src/worker/call/results.js'

const fails = (act: () => unknown, code: string, returned: string): void =>
  assert.throws(act, (error: { code: string; detail: Record<string, unknown> }) => {
    assert.deepEqual([error.code, error.detail['node'], error.detail['returned']], [code, 'a', returned])
    return true
  })

test('several records are taken as a whole, from an array or another iterable', () => {
  assert.deepEqual(settled('a', 'flatMap', new Set([1, 2])), [1, 2])
  assert.deepEqual(settled('a', 'mapBatch', [1, 2]), [1, 2])
  assert.equal(settled('a', 'map', 'anything'), 'anything')
})

test('a handler that returns something else than it is to return has failed, and the error says what and where', () => {
  fails(() => settled('a', 'filter', 1), 'HANDLER_RESULT_INVALID', '1')
  fails(() => settled('a', 'flatMap', 'text'), 'HANDLER_RESULT_INVALID', 'a string')
  fails(() => branchOf('a', Promise.reject(new Error('unseen'))), 'HANDLER_RESULT_INVALID', 'a promise')
  fails(() => keyOf('a', 'partitionBy', Number.NaN), 'KEY_INVALID', 'NaN')
})
