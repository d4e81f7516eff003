/** What handlers return, and what an error says of a result that it cannot be. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type GraphData, type MillraceError, run } from 'millrace'
import * as graphs from './results-graphs.js'
import { RESULTS, type ResultName } from './results-graphs.js'
import { assertConserved } from './harness.js'

const TIMELY = { timeout: 60_000 }
const LIST = 'an array or another iterable of records'
const NO_LIST: readonly ResultName[] = ['undefined', 'null', 'five', 'true', 'text', 'function', 'object']
const NO_BOOLEAN: readonly ResultName[] = ['undefined', 'null', 'five', 'text', 'function', 'object', 'array']
const PROMISES: readonly ResultName[] = ['promise', 'failing']

const HANDLERS: readonly [graph: GraphData, handler: string, expected: string, wrong: readonly ResultName[]][] = [
  [graphs.filter, 'filter', 'true or false', NO_BOOLEAN],
  [graphs.asyncFilter, 'filter', 'true or false', NO_BOOLEAN],
  [graphs.fusedFilter, 'filter', 'true or false', NO_BOOLEAN],
  [graphs.flatMap, 'flatMap', `${LIST}, or an async one`, NO_LIST],
  [graphs.asyncFlatMap, 'flatMap', `${LIST}, or an async one`, NO_LIST],
  [graphs.fusedFlatMap, 'flatMap', `${LIST}, or an async one`, NO_LIST],
  [graphs.mapBatch, 'mapBatch', LIST, NO_LIST],
  [graphs.asyncMapBatch, 'mapBatch', LIST, NO_LIST],
  [graphs.keyedMapBatch, 'mapBatch', LIST, NO_LIST],
  [
    graphs.route,
    'route',
    'the name of a branch, at once',
    ['undefined', 'null', 'five', 'true', 'function', 'object', 'array', ...PROMISES],
  ],
  [
    graphs.partitionBy,
    'partitionBy',
    'a string, or a number other than NaN, at once',
    ['undefined', 'null', 'true', 'function', 'object', 'array', ...PROMISES],
  ],
  [graphs.selector, 'selector', 'true or false, at once', [...NO_BOOLEAN, ...PROMISES]],
]

/** Why the call of a record failed. */
async function reasonOf(failed: Promise<unknown>): Promise<string> {
  const error = await failed.then(
    () => assert.fail('the record came through'),
    (reason: MillraceError) => reason,
  )
  assert.equal(error.code, 'RECORD_FAILED')
  return (error.cause as Error | undefined)?.message ?? 'no cause'
}

for (const [graph, handler, expected, wrong] of HANDLERS) {
  test(
    `a wrong result of \`${handler}\` (${graph.name}) is told with its node, and with what is expected`,
    TIMELY,
    async () => {
      const pipeline = await run(graph)
      for (const name of wrong) {
        const code = handler === 'partitionBy' ? 'KEY_INVALID' : 'HANDLER_RESULT_INVALID'
        const told = await reasonOf(pipeline.call('in', name))
        const place = `(node: work, handler: ${handler}, returned: ${RESULTS[name][1]}, expected: ${expected})`
        assert.ok(told.startsWith(`${code}: `) && told.includes(place), `${name}: ${told}`)
      }
      assert.equal(
        pipeline.workers().every(({ deaths }) => deaths.length === 0),
        true,
      )
      const report = await pipeline.drain()
      assert.deepEqual([report.acked, report.failed], [0, wrong.length])
      assertConserved(pipeline)
    },
  )
}

test('`map` may return anything that can be sent', TIMELY, async () => {
  const pipeline = await run(graphs.map)
  for (const name of ['undefined', 'null', 'five', 'true', 'text', 'object', 'array'] as const) {
    assert.deepEqual(await pipeline.call('in', name), RESULTS[name][0]())
  }
  assert.match(await reasonOf(pipeline.call('in', 'function')), /^RECORD_NOT_ENCODABLE: .*node: work/)
  assert.equal(await reasonOf(pipeline.call('in', 'failing')), 'unseen')
  await pipeline.drain()
})

test('an unknown branch is told with those that there are', TIMELY, async () => {
  const pipeline = await run(graphs.route)
  assert.match(await reasonOf(pipeline.call('in', 'text')), /^ROUTE_UNKNOWN: .*node: work, branch: nowhere, .*"here"/)
  await pipeline.drain()
})

test('the promise of a fused handler is refused, and its failure harms nobody', TIMELY, async () => {
  const pipeline = await run(graphs.fusedFilter)
  for (const name of PROMISES)
    assert.match(await reasonOf(pipeline.call('in', name)), /^FUSED_HANDLER_ASYNC: .*node: work/)
  assert.equal((await pipeline.drain()).failed, 2)
})

const SOURCES: readonly [graph: GraphData, handler: string, returned: string][] = [
  [graphs.producePromise, 'produce', 'a promise'],
  [graphs.produceNull, 'produce', 'null'],
  [graphs.produceText, 'produce', 'a string'],
  [graphs.pollUndefined, 'poll', 'undefined'],
  [graphs.pollText, 'poll', 'a string'],
  [graphs.pollObject, 'poll', 'an object'],
]

for (const [graph, handler, returned] of SOURCES) {
  test(
    `a source whose \`${handler}\` returns ${returned} ends the pipeline, and the error says why`,
    TIMELY,
    async () => {
      const pipeline = await run(graph)
      const place = `(node: in, handler: ${handler}, returned: ${returned}, expected: `
      await assert.rejects(pipeline.finished, ({ cause }: MillraceError) => {
        const { message } = cause as Error
        return message.includes('HANDLER_RESULT_INVALID') && message.includes(place)
      })
    },
  )
}
