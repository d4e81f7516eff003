import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { distributions, type GraphData, measurements, type Pipeline, run, type Snapshot } from 'millrace'
import { blame, ledger, measuredGraph, pathPercentiles } from 'millrace/analysis'

import * as ends from '../run/graphs.js'
import { collect } from '../run/harness.js'
import * as graphs from './graphs.js'

/** Runs until a node has taken so many records; the snapshots at half of them and at all of them. */
async function snapshots(graph: GraphData, node: string, records: number): Promise<[Pipeline, Snapshot, Snapshot]> {
  const pipeline = await run(graph)
  const taken = async (least: number): Promise<Snapshot> => {
    for (;;) {
      const snapshot = pipeline.snapshot()
      if (snapshot.nodes[node]!.in >= least) return snapshot
      await sleep(5)
    }
  }
  const half = await taken(records / 2)
  const all = await taken(records)
  await pipeline.stop()
  return [pipeline, half, all]
}

test('the books of pipelines that have ended hold, dropped and given-up records included', async () => {
  for (const graph of [ends.kinds, ends.branches, ends.copies, ends.retries, ends.overflow]) {
    const { pipeline } = await collect(graph)
    const { entries, holds } = ledger(graph, measurements(pipeline.plan, pipeline.snapshot()))
    assert.ok(holds, JSON.stringify(entries.filter((entry) => !entry.holds)))
    assert.ok(entries.length > 1)
  }
})

test('the books hold between two snapshots as well', async () => {
  const [pipeline, half] = await snapshots(graphs.credit, 'slow', 200)
  const found = measurements(pipeline.plan, pipeline.snapshot(), half)
  const { entries, holds } = ledger(graphs.credit, found, { slack: 64 })
  assert.ok(holds, JSON.stringify(entries))
  assert.equal(found.nodes['slow']!.in, pipeline.snapshot().nodes['slow']!.in - half.nodes['slow']!.in)
  assert.ok(found.seconds > 0)
})

test('a stage that waits for credit waits on the edge whose lanes are full', async () => {
  const [pipeline, , all] = await snapshots(graphs.credit, 'slow', 300)
  const found = measurements(pipeline.plan, all)
  const edge = (to: string): number =>
    found.edges[graphs.credit.edges.findIndex((each) => each.to === to)]!.blockedShare
  assert.ok(found.nodes['pass']!.blocked > 0)
  assert.equal(edge('slow'), found.nodes['pass']!.blocked)
  assert.equal(edge('quick'), 0)
  const { root, chain } = blame(graphs.credit, found)
  assert.equal(root, 'slow')
  assert.equal(chain.at(-1)!.waitsFor, 'slow')
})

test('a source that waits for its window counts as blocked', async () => {
  const [pipeline, half, all] = await snapshots(graphs.window, 'slow', 300)
  const found = measurements(pipeline.plan, all, half)
  const { blocked, busy, starved, limited } = found.nodes['numbers']!
  assert.ok(blocked > busy + starved + limited, JSON.stringify(found.nodes['numbers']))
  assert.equal(found.edges[0]!.blockedShare, blocked)
  assert.equal(blame(graphs.window, found).root, 'slow')
})

test('calls that overlap share their worker: the measured graph has the time of one call', async () => {
  const [pipeline, , all] = await snapshots(graphs.overlapping, 'calls', 400)
  assert.ok(all.stages['calls']!.workers[0]!.isAsync)
  const found = measurements(pipeline.plan, all)
  const sink = measuredGraph(graphs.overlapping, found).nodes.find(({ id }) => id === 'calls')!
  // A timer never rings early by more than its own millisecond.
  assert.ok(sink.latencyMs! >= 4, `${sink.latencyMs} ms`)
  assert.equal(sink.latencyMs, found.nodes['calls']!.serviceMs * 8)
  assert.ok(found.nodes['calls']!.busy <= 1)
})

test('a pipeline that has done nothing measures nothing, and nothing is divided by zero', async () => {
  const pipeline = await run(ends.pushed)
  const snapshot = pipeline.snapshot()
  const found = measurements(pipeline.plan, snapshot, snapshot)
  assert.equal(found.seconds, 0)
  assert.ok(Object.values(found.nodes).every((node) => Object.values(node).every(Number.isFinite)))
  await pipeline.stop()
})

test('distributions are the histograms of all stages as plain data, from which ways are added up', async () => {
  const [pipeline] = await snapshots(graphs.credit, 'slow', 300)
  const found = distributions(pipeline)
  assert.deepEqual(structuredClone(found), found)
  assert.deepEqual(Object.keys(found).sort(), ['numbers', 'pass', 'quick', 'slow'])
  for (const [node, times] of Object.entries(found)) {
    for (const kind of ['service', 'lane', 'endToEnd'] as const) {
      const [copy, buckets] = [pipeline.histogram(node, kind), times[kind]]
      assert.equal(buckets === undefined, copy === undefined)
      if (buckets === undefined || copy === undefined) continue
      const { total, min, max } = copy
      assert.equal(
        buckets.reduce((sum, { count }) => sum + count, 0),
        total,
      )
      assert.deepEqual([buckets[0]?.fromMs, buckets.at(-1)?.toMs], [min / 1e6, max / 1e6])
      for (const { fromMs, toMs } of buckets) assert.ok(fromMs <= toMs && fromMs >= toMs * 0.99)
    }
  }
  const ways = pathPercentiles(graphs.credit, found)
  assert.deepEqual(new Set(ways.map(({ nodes }) => nodes.join())), new Set(['numbers,pass,slow', 'numbers,pass,quick']))
  for (const { measured, convolved, dependence, isOnlyWay, unmeasured } of ways) {
    assert.deepEqual([isOnlyWay, unmeasured], [true, []])
    assert.ok(measured && convolved.p50Ms > 0)
    assert.equal(dependence?.p99Ms, measured.p99Ms - convolved.p99Ms)
  }
})

test('a lane holds the service of a stage that takes one record after the other, and not that of calls that overlap', async () => {
  const [inTurn] = await snapshots(graphs.credit, 'slow', 100)
  const [atOnce] = await snapshots(graphs.overlapping, 'calls', 100)
  assert.equal(distributions(inTurn)['slow']?.isServedOnLane, true)
  assert.equal(distributions(atOnce)['calls']?.isServedOnLane, false)
  // What is on the lane while it is served is there for as long: 2 ms, but for what a timer may be early.
  assert.ok(inTurn.histogram('slow', 'lane')!.min >= 1.9e6)
})
