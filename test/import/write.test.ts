/** What the handler of `postgres` does when the database refuses or is away: the database is a function here. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Context } from 'millrace'
import { Catalog } from '../../examples/import/catalog.js'
import type { Note, Row } from '../../examples/import/records.js'
import { type Target, WRITE_ATTEMPTS, isWorthRetry, writeBatch } from '../../examples/import/write.js'

const columns = [{ name: 'id', title: 'id', type: 'bigint' as const }]
const entry = { file: 'a.csv', table: 'a', bytes: 1, header: 'id\n', columns, remarks: [] }
const catalog = new Catalog({ directory: '', dataDirectory: '', files: [entry] })
const rows = [1, 2, 3].map((id): Row => ({ kind: 'row', file: 'a.csv', line: id + 1, values: [id] }))

/** A target whose database answers each statement with `answer`, and what the handler tells. */
function writing(answer: (ids: number[]) => void): {
  state: Target
  call: (attempt: number) => Promise<void>
  notes: Note[]
  failed: unknown[]
} {
  const database = {
    query: async <T>(_: string, parameters: readonly unknown[] = []): Promise<T[]> => {
      answer((JSON.parse(parameters[0] as string) as { id: number }[]).map(({ id }) => id))
      return []
    },
    close: () => Promise.resolve(),
  }
  const state: Target = { catalog, database, refusals: new Map(), hasGivenUp: false }
  const notes: Note[] = []
  const failed: unknown[] = []
  const call = (attempt: number): Promise<void> =>
    writeBatch(rows, {
      state,
      attempt,
      emit: (_: string, note: unknown) => notes.push(note as Note),
      fail: (record: unknown) => failed.push(record),
    } as unknown as Context<Target>)
  return { state, call, notes, failed }
}

const away = (): Error => Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' })
const refused = (): Error => Object.assign(new Error('violates check constraint'), { code: '23514' })

test('a batch that a database takes is one statement and one note', async () => {
  const statements: number[][] = []
  const { call, notes } = writing((ids) => statements.push(ids))
  await call(1)
  assert.deepEqual(statements, [[1, 2, 3]])
  assert.deepEqual(notes, [{ file: 'a.csv', written: 3 }])
})

test('a database that is away fails the batch, to be tried again, and nothing is told as written', async () => {
  const { state, call, notes, failed } = writing(() => {
    throw away()
  })
  await assert.rejects(call(1), isWorthRetry)
  assert.deepEqual([notes, failed, state.hasGivenUp], [[], [], false])
})

test('after the last attempt the database is given up: what follows is not tried', async () => {
  let statements = 0
  const { call } = writing(() => {
    statements++
    throw away()
  })
  await assert.rejects(call(WRITE_ATTEMPTS), isWorthRetry)
  await assert.rejects(call(1), (error) => !isWorthRetry(error))
  assert.equal(statements, 1)
})

test('a row that the database refuses fails alone, and its neighbours are written', async () => {
  const { call, notes, failed } = writing((ids) => {
    if (ids.includes(2)) throw refused()
  })
  await call(1)
  assert.deepEqual(failed, [rows[1]])
  assert.deepEqual(notes, [{ file: 'a.csv', written: 2 }])
})

test('a database that goes away between the rows of a refused batch fails the whole batch', async () => {
  let isAway = false
  const { call, notes } = writing((ids) => {
    if (isAway) throw away()
    if (ids.length > 1) throw refused()
    isAway = true
  })
  await assert.rejects(call(1), isWorthRetry)
  assert.deepEqual(notes, [])
})
