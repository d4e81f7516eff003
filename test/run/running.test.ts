import assert from 'node:assert/strict'
import { test } from 'node:test'
import { availableCores, type GraphData, type PipelineEvent, pipelines, run } from 'millrace'
import { simulate } from 'millrace/analysis'
import { plan } from 'millrace/plan'
import { collect, until } from './harness.js'
import * as graphs from './running-graphs.js'

/** A graph as data, to be changed. */
function dataOf({ name, module, nodes, edges, clusters }: GraphData): GraphData {
  return { name, module, nodes, edges, clusters }
}

test('`pipelines()` lists those that run, the oldest first', async () => {
  assert.deepEqual(pipelines(), [])
  const [first, second] = [await run(graphs.waits), await run(graphs.waits)]
  assert.deepEqual(pipelines(), [first, second])
  await first.drain()
  assert.deepEqual(pipelines(), [second])
  await second.stop()
  assert.deepEqual(pipelines(), [])
})

test('what a run says for all stages counts where they say nothing themselves', async () => {
  const without = await collect(graphs.fails)
  assert.equal(without.report.failed, 1)
  const defaults = { concurrency: 2, retry: { maxAttempts: 3, baseMs: 1 }, window: 64 }
  const { outputs, pipeline } = await collect(graphs.fails, { defaults })
  assert.deepEqual(outputs, { out: [{ n: 1, workers: 2 }] })
  const node = (id: string) => pipeline.graph.nodes.find((each) => each.id === id)!
  assert.deepEqual([node('in').window, node('in').concurrency, node('out').concurrency], [64, undefined, undefined])
  const own = { ...dataOf(graphs.fails), nodes: graphs.fails.nodes.map((each) => ({ ...each, concurrency: 1 })) }
  const stages = plan(own, { defaults }).stages
  assert.deepEqual(
    stages.map(({ concurrency }) => concurrency),
    [1, 1, 1],
  )
  for (const wrong of [{ map: () => 1 }, { concurrency: 0 }, { retry: { when: () => true } }, 3])
    await assert.rejects(run(graphs.fails, { defaults: wrong as never }), { code: 'OPTIONS_INVALID' })
})

test('a stage with `concurrency: cores` has as many workers as the process may use cores', async () => {
  const workers = Math.max(1, Math.floor(availableCores()))
  const graph = {
    ...dataOf(graphs.fails),
    nodes: graphs.fails.nodes.map((node) => ({ ...node, concurrency: 'cores' as const })),
  }
  assert.equal(plan(graph).stages[1]!.concurrency, 1, 'a plan knows no machine')
  const pipeline = await run(graphs.waits, { defaults: { concurrency: 'cores' } })
  assert.equal(pipeline.plan.stages.find(({ node }) => node === 'work')!.concurrency, workers)
  await pipeline.stop()
  const counted = { ...graph, nodes: graph.nodes.map((node) => ({ ...node, latencyMs: 1, rate: 1e6 })) }
  assert.equal(simulate(counted, { cores: 3.5 }).nodes[1]!.serviceRate, 3_000)
  assert.match(simulate(counted).assumptions.join(), /as many workers as there are cores/)
  await assert.rejects(run(graphs.waits, { defaults: { concurrency: 'some' as never } }), /or `cores`/)
})

test('a drain tells how many records are left', async () => {
  const pipeline = await run(graphs.waits)
  const told: PipelineEvent[] = []
  pipeline.events.on('pipeline.drainProgress', (event) => told.push(event))
  assert.equal(pipeline.drainProgress, undefined)
  await Promise.all([1, 1, 1_500].map((ms) => pipeline.push('in', ms)))
  await until(() => pipeline.snapshot().nodes['work']!.in === 3, 'all are in the handler')
  const ended = pipeline.drain({ deadlineMs: 20_000 })
  const { left, atFirst, leftMs } = pipeline.drainProgress!
  assert.ok(left >= 1 && atFirst >= left && leftMs <= 20_000 && leftMs > 10_000)
  await ended
  assert.equal(pipeline.drainProgress, undefined)
  assert.ok(told.length > 0)
  assert.equal(told.at(-1)!['left'], 1)
})
