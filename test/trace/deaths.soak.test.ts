/** What a worker had in hand when it died is told, with the traces that it counts for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GraphData } from 'millrace'
import { lineage, type TraceEvent } from 'millrace/trace'
import { LiveSource } from '#src/trace/live-source.js'
import { collect } from '../run/harness.js'
import { deadly, deadlyBatches, deadlyCalls } from './graphs.js'

const ALL = { rate: 1, recent: 100_000, ring: 16_777_216, side: 16_777_216 }

async function died(graph: GraphData): Promise<{ source: LiveSource; hops: TraceEvent[]; deaths: TraceEvent[] }> {
  const { pipeline } = await collect(graph, { trace: ALL })
  const source = new LiveSource(pipeline.tracing!, pipeline.graph)
  const events: TraceEvent[] = []
  for await (const block of source.read()) events.push(...block)
  return {
    source,
    hops: events.filter(({ outcome, kind }) => outcome === 'died' && kind === 'hop'),
    deaths: events.filter(({ kind }) => kind === 'died'),
  }
}

test('the lineage of a record that killed shows each attempt that died, and then that it was given up', async () => {
  const { source, hops } = await died(deadly)
  const records = new Set(hops.map(({ inputs: [input] }) => `${input!.base}:${input!.first}`))
  assert.equal(records.size, 2)
  for (const record of records) {
    const { steps, isComplete } = (await lineage(source, record, { direction: 'up' }))!
    assert.ok(isComplete)
    const fates = steps.filter(({ node }) => node === 'odd').map(({ fate }) => fate)
    assert.deepEqual(fates, ['died', 'died', 'deadLettered'])
    assert.ok(
      steps.some(({ node }) => node === 'numbers'),
      'it is joined to its source',
    )
    const deaths = steps.filter(({ fate }) => fate === 'died')
    assert.deepEqual(new Set(deaths.map(({ reason }) => reason?.slice(0, 11))), new Set(['WORKER_DIED']))
    assert.ok(deaths.every(({ waitMs }) => waitMs !== undefined && waitMs >= 0))
  }
})

test('of a batch, and of calls that overlap, every record that was in hand is told', async () => {
  const batches = await died(deadlyBatches)
  // Together twice, then one by one.
  const byDeath = new Map<number, number>()
  for (const { epoch, inputs } of batches.hops)
    byDeath.set(epoch, (byDeath.get(epoch) ?? 0) + inputs.reduce((sum, { count }) => sum + count, 0))
  assert.ok([...byDeath.values()].includes(100), [...byDeath.values()].join())
  assert.ok([...byDeath.values()].includes(1), [...byDeath.values()].join())
  const calls = await died(deadlyCalls)
  assert.ok(calls.deaths.length > 0)
  assert.ok(calls.hops.length >= calls.deaths.length)
  assert.ok(calls.hops.every(({ traces, inputs }) => traces.length > 0 && inputs.length === 1))
})
