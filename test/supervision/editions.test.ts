import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setEnvironmentData } from 'node:worker_threads'
import { type MillraceError, run } from 'millrace'
import { assertConserved } from '../run/harness.js'
import { ACKED, NACKED, RECORDS } from './editions.js'
import type * as Editions from './editions.js'

interface Out {
  readonly n: number
  readonly edition: number
}

/** The graphs as their first edition; a worker that is started later may load another one. */
async function firstEdition(test: string): Promise<{ graphs: typeof Editions; told: Int32Array }> {
  const told = new Int32Array(new SharedArrayBuffer(4 * (NACKED + RECORDS)))
  setEnvironmentData('editions', told.buffer)
  // The main thread keeps what it has imported; this is loaded anew for each test.
  return { graphs: (await import(`./editions.js?${test}`)) as typeof Editions, told }
}

test('a successor takes up the handler that its module has by then', async () => {
  const { graphs } = await firstEdition('handler')
  const pipeline = await run(graphs.otherHandler)
  const records: Out[] = []
  for await (const record of pipeline.output('out')) records.push(record as Out)
  assert.deepEqual(
    records.map(({ n }) => n),
    Array.from({ length: RECORDS }, (_, n) => n),
  )
  const first = records.filter(({ edition }) => edition === 0).length
  assert.ok(first <= 50)
  assert.ok(records.every(({ n, edition }) => edition === (n < first ? 0 : 1)))
  assertConserved(pipeline)
})

test('a successor whose module says otherwise what goes over a lane ends the pipeline, and nothing is lost in silence', async () => {
  const { graphs, told } = await firstEdition('codec')
  const pipeline = await run(graphs.otherCodec)
  const records: Out[] = []
  const reading = (async () => {
    for await (const record of pipeline.output('out')) records.push(record as Out)
  })()
  const error = await pipeline.finished.then(
    () => assert.fail('it has not failed'),
    (reason: MillraceError) => reason,
  )
  await reading.catch(() => undefined)
  assert.equal(error.code, 'START_FAILED')
  const { message } = error.cause as Error
  assert.match(message, /LANE_DIFFERS.*from: work, to: out.*"codec":"shape".*"codec":"json".*editions\.js/)
  assert.deepEqual(
    records,
    records.map((_, n) => ({ n, edition: 0 })),
  )
  assert.ok(records.length <= 50)
  const taken = pipeline.snapshot().nodes['numbers']!.in
  assert.ok(taken > 50)
  for (let n = 0; n < taken; n++) {
    const times = [told[ACKED + n], told[NACKED + n]]
    assert.deepEqual(times, n < records.length ? [1, 0] : [0, 1], `record ${n}`)
  }
  assertConserved(pipeline)
})
