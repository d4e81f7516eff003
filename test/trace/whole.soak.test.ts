/** From run to answer: what real workers write is kept in a store, and questions about it are answered. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { run, type GraphData } from 'millrace'
import { audit, dependencies, lineage, openStore, recordIdAt, traces, type TraceStore } from 'millrace/trace'
import { collect } from '../run/harness.js'
import { COUNT, failing, mixed, single } from './graphs.js'

const ALL = { rate: 1, ring: 16_777_216, side: 16_777_216 }

/** Runs a graph with all of it traced into a folder, opens that anew, and asks. */
async function kept(graph: GraphData, ask: (store: TraceStore) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-traces-'))
  try {
    const store = join(folder, 'traces')
    await collect(graph, { trace: { ...ALL, store } })
    const opened = await openStore(store)
    await ask(opened)
    await opened.close()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('a run is kept in a folder: traces, dependencies and an audit without a finding', async () => {
  await kept(single, async (store) => {
    const { total } = await traces(store)
    assert.equal(total, COUNT)
    const flows = await dependencies(store)
    assert.deepEqual(
      flows.map(({ from, to, records }) => `${from} → ${to} ${records}`).sort(),
      single.edges.map(({ from, to }) => `${from} → ${to} ${COUNT}`).sort(),
    )
    const { findings } = await audit(store)
    assert.deepEqual(findings, [])
  })
})

test('a store that cannot be made is an error before anything runs', async () => {
  await assert.rejects(run(single, { trace: { ...ALL, store: '/dev/null/traces' } }), { code: 'TRACE_STORE_UNUSABLE' })
})

test('the lineage of what came out leads to its source, through filters, copies and batches', async () => {
  await kept(mixed, async (store) => {
    assert.deepEqual((await audit(store)).findings, [])
    const events = []
    for await (const block of store.read()) events.push(...block)
    const sinks = events.filter(({ outputs, kind }) => outputs.length === 0 && kind === 'hop')
    assert.ok(sinks.length > 0)
    const last = sinks.at(-1)!.inputs[0]!
    const found = await lineage(store, recordIdAt(last, last.count - 1), { direction: 'up' })
    assert.equal(found!.isComplete, true)
    const nodes = new Set(found!.steps.map(({ node }) => node))
    for (const { id, kind } of mixed.nodes) if (kind === 'source') assert.ok(nodes.has(id), [...nodes].join())
  })
})

test('failures are found by their kind', async () => {
  await kept(failing, async (store) => {
    const found = await traces(store, { kind: 'dead' })
    assert.equal(found.total, 4)
    assert.deepEqual((await audit(store)).findings, [])
  })
})
