/** Records that are sent into a running pipeline by a test, and followed to their end. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { dataflow, run } from 'millrace'
import { settled, testBatch, testRecord } from 'millrace/test'

const graph = dataflow('tested', import.meta.url)
  .source('in', { push: true })
  .transform('parse', { map: (text: string) => JSON.parse(text) as number })
  .transform('sum', {
    batch: { size: 100, timeoutMs: 3_600_000 },
    mapBatch: (all: number[]) => [all.reduce((a, b) => a + b)],
  })
  .sink('out')
  .connect('in', 'parse')
  .connect('parse', 'sum')
  .connect('sum', 'out')

const pipeline = await run(graph, { inject: true })
after(() => pipeline.drain())

test('a record is followed to its end, and no batch waits for more', async () => {
  assert.deepEqual(await testRecord(pipeline, 'in', '7'), { outcome: 'acked', outputs: { out: [7] } })
})

test('a record that fails says why', async () => {
  const { outcome, error, outputs } = await testRecord(pipeline, 'in', 'seven')
  assert.equal(outcome, 'failed')
  assert.equal(error?.name, 'SyntaxError')
  assert.deepEqual(outputs, { out: [] })
})

test('records come to a batch together, those that fail beside those that do not', async () => {
  const { successes, failures, outputs } = await testBatch(pipeline, 'in', ['1', 'two', '3'])
  assert.deepEqual(successes, ['1', '3'])
  assert.deepEqual(
    failures.map(({ record, error }) => [record, error.name]),
    [['two', 'SyntaxError']],
  )
  assert.deepEqual(outputs, { out: [4] })
})

test('a record comes to any node, past what is above it', async () => {
  assert.deepEqual(await testRecord(pipeline, 'sum', 8), { outcome: 'acked', outputs: { out: [8] } })
  await assert.rejects(testRecord(pipeline, 'nobody', 8), { code: 'NODE_UNKNOWN' })
})

test('`settled` resolves when all that was pushed before has ended', async () => {
  const output = pipeline.output('out')
  const read = output.next()
  for (const n of ['1', '2', '3']) await pipeline.push('in', n)
  const reading = settled(pipeline)
  assert.equal((await read).value, 6)
  await output.return?.()
  const { nodes } = await reading
  assert.equal(nodes['in']!.inFlight, 0)
  assert.equal(nodes['sum']!.in, nodes['sum']!.done + nodes['sum']!.failed)
})
