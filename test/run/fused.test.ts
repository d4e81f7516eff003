import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Failure, type Pipeline, run } from 'millrace'
import { type Above, type Seen, fusedBelow } from './fused-graphs.js'

async function recordsOf(pipeline: Pipeline, node: string): Promise<unknown[]> {
  const records: unknown[] = []
  for await (const record of pipeline.output(node)) records.push(record)
  return records
}

async function seenBelow(above: Above): Promise<{ out: Seen[]; odd: Seen[]; dead: Failure<Seen>[] }> {
  const pipeline = await run(fusedBelow, { params: { above } })
  const [out, odd, dead] = await Promise.all(['out', 'odd', 'dead'].map((node) => recordsOf(pipeline, node)))
  await pipeline.finished
  return { out: out as Seen[], odd: odd as Seen[], dead: dead as Failure<Seen>[] }
}

for (const above of ['source', 'sync', 'async', 'batch'] as const) {
  test(`the context of a fused handler is that of its own call, below ${above === 'source' ? 'a source' : `a stage (${above})`}`, async () => {
    const { out, odd, dead } = await seenBelow(above)
    assert.deepEqual(
      out.map(({ n }) => n).sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, n) => n).filter((n) => n !== 9),
    )
    assert.equal(new Set(out.map(({ id }) => id)).size, 19, 'each record has its own id')
    for (const { main, id, node, attempt, batch } of out) {
      if (above !== 'source') assert.equal(id, main, 'it is still the same record')
      assert.deepEqual({ node, attempt, batch }, { node: 'fused', attempt: 1, batch: false })
    }
    assert.deepEqual(
      odd.map(({ n }) => n),
      [7],
      'its own edges carry what it emits',
    )
    assert.deepEqual(
      dead.map(({ input, node, error }) => [input.n, node, error.message]),
      [[9, 'fused', 'nine']],
    )
  })
}
