import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type GraphData, type MillraceError, dataflow, run } from 'millrace'
import { collect } from './harness.js'
import importA, * as graphs from './params-graphs.js'

const refused = (code: string, text: RegExp) => (thrown: MillraceError) => {
  const error = thrown.code === 'START_FAILED' ? (thrown.cause as MillraceError) : thrown
  assert.equal(error.code, code, String(error))
  assert.match(error.message, text)
  return true
}

test('a graph that a function has made beside the exported one is refused, and the way out is said', async () => {
  await assert.rejects(run(graphs.importFile('b.csv')), refused('GRAPH_DIFFERS', /run\(makeGraph, \{ params \}\)/))
})

test('a graph with handlers of its own on top of the exported one is refused', async () => {
  const more = importA.transform('more', { map: (line: string) => line }).connect('upper', 'more')
  await assert.rejects(run(more), refused('GRAPH_DIFFERS', /params-graphs/))
})

test('a copy of the exported graph with other options and the same handlers is run', async () => {
  const nodes = importA.nodes.map((node) => (node.id === 'upper' ? { ...node, concurrency: 2 } : node))
  const { name, module, edges, clusters } = importA
  const { outputs } = await collect({ name, module, nodes, edges, clusters })
  assert.deepEqual(
    (outputs['out'] as string[]).toSorted((a, b) => a.localeCompare(b)),
    ['a.csv:1 worker', 'a.csv:2 worker'],
  )
})

test('a function that makes the graph is run with the params, in every thread', async () => {
  const pipeline = await run(graphs.importFile, { params: 'b.csv' })
  assert.deepEqual(await read(pipeline.output('out')), ['b.csv:1 worker', 'b.csv:2 worker'])
  const counts = await run(graphs.countTo, { params: { count: 3 } })
  assert.deepEqual(await read(counts.output('out')), [0, 1, 2])
})

/** No module exports it. */
const hidden = ({ count }: { count: number }): GraphData => graphs.countTo({ count })
/** Another one of the same name as the exported one. */
const countTo = (params: { count: number }) => graphs.countTo({ count: params.count + 1 })

test('a function that workers cannot find, or that makes no graph, is refused', async () => {
  await assert.rejects(
    run((file: string) => graphs.importFile(file), { params: 'c.csv' }),
    refused('MAKER_INVALID', /no name/),
  )
  await assert.rejects(run(graphs.makesNothing), refused('MAKER_INVALID', /makesNothing.*did not return a graph/))
  await assert.rejects(run(hidden, { params: { count: 1 } }), refused('GRAPH_NOT_EXPORTED', /function: hidden/))
})

test('another function of the same name is refused', async () => {
  await assert.rejects(run(countTo, { params: { count: 1 } }), refused('GRAPH_DIFFERS', /count/))
})

test('every function of the graph reads the params, in the embedding thread, in workers and in successors', async () => {
  const params = { from: 10, factor: 3 }
  const pipeline = await run(graphs.everywhere, { params })
  // What the caller does with its object later is its own affair.
  params.factor = 5
  const [out, low] = [read(pipeline.output('out')), read(pipeline.output('low'))]
  for (let n = 0; n < 20; n++) await (await pipeline.push('pushed', n)).done
  const restarted = new Promise((resolve) => pipeline.events.on('worker.restarted', resolve))
  await pipeline.killWorker('times', 0)
  await restarted
  for (let n = 20; n < 40; n++) await pipeline.push('pushed', n)
  await pipeline.drain()
  assert.deepEqual(await low, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  const records = (await out) as { n: number; factor: number; setup: number; epoch: number; isOneKey: boolean }[]
  assert.equal(records.length, 30)
  assert.ok(records.every(({ factor, setup, isOneKey }) => factor === 3 && setup === 3 && isOneKey))
  assert.ok(records.some(({ epoch }) => epoch === 1))
})

test('sources, `ack`, selectors and `retry.when` read the params', async () => {
  const failures: unknown[] = []
  const pipeline = await run(graphs.sources, { params: { from: 2, factor: 3 } })
  pipeline.events.on('ack.failed', (event) => failures.push(event))
  const records = await read(pipeline.output('out'))
  await pipeline.finished
  assert.deepEqual(
    records,
    [1, 2].map(() => ({ polled: 3, attempt: 2, worker: 1 })),
  )
  assert.deepEqual(failures, [])
})

test('params that cannot be cloned are refused before anything starts', async () => {
  const params = { count: 1, log: (): void => undefined }
  await assert.rejects(run(graphs.countTo, { params }), refused('OPTIONS_INVALID', /params.*structuredClone/))
})

test('a module is named by its URL, as a text or not, or by its absolute path; anything else is refused at once', () => {
  const path = fileURLToPath(import.meta.url)
  assert.equal(dataflow('x', path).module, import.meta.url)
  assert.equal(dataflow('x', new URL(import.meta.url)).module, import.meta.url)
  assert.equal(dataflow('x', '/a b/50%?/ü.cjs').module, 'file:///a%20b/50%25%3F/%C3%BC.cjs')
  assert.equal(dataflow('x', 'C:\\a b\\c.cjs').module, 'file:///C:/a%20b/c.cjs')
  return assert.rejects(run(dataflow('x', './graph.js')), refused('GRAPH_INVALID', /MODULE_INVALID.*__filename/s))
})

const COMMON_JS = `
const { dataflow } = require('millrace')
const make = (text) => dataflow('common', __filename)
  .source('one', { produce: () => [text] })
  .sink('out')
  .connect('one', 'out')
exports.graph = make('exported')
exports.make = make
`

test('a CommonJS module: its graph and its function are run, and a graph made beside is refused', async (t) => {
  const folder = packageBeside(t)
  writeFileSync(join(folder, 'graph.cjs'), COMMON_JS)
  const { graph, make } = createRequire(join(folder, 'main.cjs'))('./graph.cjs') as {
    graph: GraphData
    make: (text: string) => GraphData
  }
  assert.deepEqual((await collect(graph)).outputs, { out: ['exported'] })
  const pipeline = await run(make, { params: 'made' })
  assert.deepEqual(await read(pipeline.output('out')), ['made'])
  await assert.rejects(run(make('beside')), refused('GRAPH_DIFFERS', /graph\.cjs/))
})

/** A folder in which this package is installed. */
function packageBeside(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-params-'))
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(fileURLToPath(new URL('../../..', import.meta.url)), join(folder, 'node_modules/millrace'))
  return folder
}

async function read(records: AsyncIterable<unknown>): Promise<unknown[]> {
  const found: unknown[] = []
  for await (const record of records) found.push(record)
  return found
}
