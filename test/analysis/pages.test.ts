import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { problemsPage } from '../../scripts/print-problems.js'

test('docs/problems.md is what the table of problems prints', () => {
  const page = readFileSync(new URL('../../../docs/problems.md', import.meta.url), 'utf8')
  assert.equal(page, problemsPage(), 'print it again: node build/scripts/print-problems.js')
})
