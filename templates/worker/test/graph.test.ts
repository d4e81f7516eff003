import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { run } from 'millrace'
import graph from '../src/graph.ts'

function rowsOf<Row>(file: string): Row[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)
}

test('each event is worked on, and each file ends where it belongs', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'worker-'))
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'inbox'))
  const good = Array.from({ length: 100 }, (_, n) => JSON.stringify({ id: `e${n}`, value: n * n }))
  writeFileSync(join(folder, 'inbox/good.ndjson'), [...good, '{"id":"none"}'].join('\n'))
  writeFileSync(join(folder, 'inbox/broken.ndjson'), 'no JSON')

  const pipeline = await run(graph, { params: { folder, once: true } })
  await pipeline.finished

  const roots = rowsOf<{ root: number }>(join(folder, 'results.ndjson')).map(({ root }) => root)
  assert.deepEqual(
    roots.sort((a, b) => a - b),
    good.map((_, n) => n),
  )
  const refused = rowsOf<{ error: { message: string } }>(join(folder, 'refused.ndjson'))
  assert.deepEqual(
    refused.map(({ error }) => error.message),
    ['Event none has no value.'],
  )
  const list = (name: string): string[] => readdirSync(join(folder, name))
  assert.deepEqual([list('inbox'), list('done'), list('failed')], [[], ['good.ndjson'], ['broken.ndjson']])
})
