import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { run } from 'millrace'
import { collect, until } from './harness.js'
import { type Dead, failing, makeInherited } from './marks-graphs.js'

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-marks-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

function linesOf<T>(file: string): T[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T)
}

test('a record that its source marks with an error takes the dead-letter edge alone; the others of its chunk go on', async (t) => {
  const ledger = join(folderOf(t), 'ledger')
  const { outputs, report } = await collect(failing, { params: { ledger } })
  assert.deepEqual(
    (outputs['out'] as number[]).sort((a, b) => a - b),
    [1, 2, 4, 5, 7, 8, 10, 11],
  )
  const dead = outputs['dead'] as Dead[]
  assert.deepEqual(
    dead.map(({ input, node, error }) => `${input} ${node} ${error.message}`).sort(),
    [0, 3, 6, 9].map((n) => `${n} in unreadable ${n}`),
  )
  const told = linesOf<{ successes: number[]; failures: number[] }>(ledger)
  assert.deepEqual(
    told.flatMap(({ successes }) => successes).sort((a, b) => a - b),
    Array.from({ length: 12 }, (_, n) => n),
    'what took the edge is done',
  )
  assert.deepEqual(
    told.flatMap(({ failures }) => failures),
    [],
  )
  assert.equal(report.acked, 12)
})

test('a new worker of a source is given the receipts that its predecessor left open', async (t) => {
  const folder = folderOf(t)
  const params = { ledger: join(folder, 'ledger'), gate: join(folder, 'gate') }
  const pipeline = await run(makeInherited, { params })
  await until(() => pipeline.snapshot().nodes['in']!.in === 5, 'the records are sent')
  await pipeline.restartWorker('in', 0)
  const second = (): { receipts: string[] }[] =>
    linesOf<{ epoch: number; receipts: string[] }>(params.ledger).filter(({ epoch }) => epoch === 1)
  await until(() => second().length > 0, 'the new worker polls')
  writeFileSync(params.gate, '')
  assert.deepEqual(second()[0]!.receipts.sort(), ['r0', 'r1', 'r2', 'r3', 'r4'])
  assert.equal((await pipeline.finished).acked, 5)
})
