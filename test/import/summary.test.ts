/** The books of an import: rows that are read and rows that come to an end are counted apart. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Account } from '../../examples/import/account.js'
import { Catalog } from '../../examples/import/catalog.js'
import type { Note } from '../../examples/import/records.js'
import { summarize, summaryText } from '../../examples/import/summary.js'

function ended(notes: readonly Omit<Note, 'file'>[]): Parameters<typeof summarize>[0] {
  const entry = { file: 'a.csv', table: 'a', bytes: 1, header: 'id\n', columns: [], remarks: [] }
  const account = new Account(new Catalog({ directory: '', dataDirectory: '', files: [entry] }))
  for (const note of notes) account.add({ file: 'a.csv', ...note })
  return { account, seconds: 1, isInterrupted: false }
}
const END = { end: { file: 'a.csv' } }

test('rows that are read and written or dead-lettered balance', () => {
  const summary = summarize(ended([{ read: 3 }, { written: 2 }, { deadLettered: 1 }, END]))
  assert.deepEqual(summary, { files: 1, rowsRead: 3, rowsWritten: 2, rowsDeadLettered: 1, seconds: 1, stages: {} })
})

test('a row that was read and came to no end is a failure', () => {
  const result = ended([{ read: 3 }, { written: 2 }, END])
  assert.match(summarize(result).failure!, /^3 rows read, and 2 written or dead-lettered/)
  assert.match(summaryText(result), /The import failed: 3 rows read/)
})

test('a row that was written and never read is a failure', () => {
  assert.match(summarize(ended([{ read: 1 }, { written: 2 }, END])).failure!, /^1 row read, and 2 written/)
})

test('rows that the database would not take are told by number, file and reason', () => {
  const unwritten = { rows: 2, reason: 'connection refused', isAway: true }
  const result = { ...ended([{ read: 3 }, { written: 1 }, { unwritten }, END]), unwrittenPath: 'unwritten.jsonl' }
  assert.equal(result.account.databaseProblem, 'connection refused')
  const summary = summarize(result)
  assert.equal(summary.failure, undefined)
  assert.deepEqual(summary.unwritten, { rows: 2, path: 'unwritten.jsonl' })
  assert.deepEqual(summary.incomplete, [
    { file: 'a.csv', reason: '2 rows not written: connection refused', rowsWritten: 1 },
  ])
  assert.match(summaryText(result), /Not written: 2 rows; unwritten\.jsonl keeps them/)
})
