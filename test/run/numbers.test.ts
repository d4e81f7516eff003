/** Streams of plain numbers: sources give typed arrays, and edges with `view` lend them to handlers of batches. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GraphData } from 'millrace'
import { collect } from './harness.js'
import * as graphs from './numbers-graphs.js'

const all = Array.from({ length: graphs.COUNT }, (_, n) => n)
const next = all.map((n) => n + 1)

function check(graph: GraphData, promise: string, expected: readonly number[] = next): void {
  test(`${graph.name}: ${promise}`, async () => {
    const { outputs, report } = await collect(graph)
    assert.deepEqual(
      (outputs['out'] as number[]).toSorted((a, b) => a - b),
      expected,
    )
    assert.equal(report.failed + report.deadLettered + report.abandoned, 0)
  })
}

check(graphs.ints, 'batches are an Int32Array, which may be changed and given back')
check(graphs.naturals, 'batches are a Uint32Array')
check(graphs.floats, 'batches are a Float64Array')
check(graphs.mixed, 'the edge decides, whatever the source gives')
check(graphs.cramped, 'an array that does not fit the lane goes in parts')
check(graphs.eachByItself, 'a handler of single records gets numbers')
check(
  graphs.filtered,
  'what a filter lets through goes on',
  all.filter((n) => n % 2 === 0),
)
check(graphs.asyncEach, 'open calls keep their number')
check(graphs.byKey, 'batches by key are typed arrays too')
check(graphs.retried, 'a batch comes again as it was sent, though the handler had changed it')
check(graphs.dying, 'a batch that a worker died with comes again as it was sent')
