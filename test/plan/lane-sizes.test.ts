/** Lanes of very many workers share what fewer lanes would have for themselves. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type GraphData, type Plan, dataflow } from 'millrace'
import { plan } from 'millrace/plan'

const MIB = 2 ** 20
const map = (n: number): number => n

interface Given {
  readonly from: number
  readonly to: number
  readonly edge?: object
  readonly node?: object
}

function pair({ from, to, edge = {}, node = {} }: Given): GraphData {
  return dataflow('pair', import.meta.url)
    .source('in', { produce: () => [] })
    .transform('a', { concurrency: from, map })
    .transform('b', { concurrency: to, map, ...node })
    .sink('out', { write: () => {} })
    .connect('in', 'a')
    .connect('a', 'b', edge)
    .connect('b', 'out')
}

const linkOf = ({ links }: Plan, edge: number): Plan['links'][number] =>
  links.find(({ edges }) => edges.includes(edge))!
const ringOf = (made: Plan, edge = 1): number => linkOf(made, edge).lanes[0]![0]!.ringBytes
const shapesOf = (made: Plan, edge = 1): number => linkOf(made, edge).lanes[0]![0]!.shapeBytes

test('small plans are as they were: rings of 512 KiB with 16 KiB of shapes, windows of 4,096 chunks', () => {
  for (const [from, to] of [
    [1, 1],
    [8, 8],
    [16, 15],
  ] as const) {
    const made = plan(pair({ from, to }))
    assert.equal(ringOf(made), 524_288)
    assert.equal(shapesOf(made), 16_384)
    assert.equal(made.stages[0]!.source!.slots, 4_096)
    assert.ok(made.links.every((link) => link.narrowedFrom === undefined))
  }
})

test('lanes of 100 × 100 workers fit, and the plan says how much smaller they are', () => {
  const made = plan(pair({ from: 100, to: 100 }))
  assert.ok(made.memoryBytes < 600 * MIB, `${made.memoryBytes / MIB} MiB`)
  const { lanes, narrowedFrom, capacity } = linkOf(made, 1)
  assert.equal(lanes.flat().length, 10_000)
  assert.equal(narrowedFrom, 524_288)
  assert.equal(ringOf(made), 16_384)
  assert.equal(shapesOf(made), 4_096)
  assert.equal(capacity, 8_192)
  assert.equal(linkOf(made, 0).narrowedFrom, undefined, 'lanes of 1 × 100 are as they were')
})

test('100 sources of 200 workers below have smaller windows, and an ack lane still has room for all slots', () => {
  const graph = dataflow('wide', import.meta.url)
    .source('in', { concurrency: 100, produce: () => [] })
    .transform('a', { concurrency: 100, map })
    .sink('out', { concurrency: 100, write: () => {} })
    .connect('in', 'a')
    .connect('a', 'out')
  const made = plan(graph)
  assert.ok(made.memoryBytes < 1_000 * MIB, `${made.memoryBytes / MIB} MiB`)
  const { slots } = made.stages[0]!.source!
  assert.ok(slots >= 256 && slots < 4_096)
  for (const worker of made.workers) {
    if (worker.slots !== undefined && made.stages[worker.stage]!.node === 'in') assert.equal(worker.slots.slots, slots)
    for (const { layout, peer } of worker.ackOutputs)
      assert.ok(layout.entries >= made.workers[peer]!.slots!.slots, 'a hand-off owes an entry for each slot')
  }
})

test('what the graph or the run asks for is not made smaller', () => {
  assert.equal(ringOf(plan(pair({ from: 60, to: 60, edge: { laneBytes: 65_536 } }))), 65_536)
  assert.equal(ringOf(plan(pair({ from: 60, to: 60 }), { laneBytes: 131_072 })), 131_072)
  assert.equal(shapesOf(plan(pair({ from: 60, to: 60, edge: { laneBytes: 1_024 } }))), 16_384)
  assert.equal(plan(pair({ from: 100, to: 100, edge: { maxDemand: 1_000 } })).links[1]!.capacity, 1_000)
})

test('rings keep what they must hold, whatever the number of lanes', () => {
  const workers = fc.integer({ min: 1, max: 60 })
  fc.assert(
    fc.property(workers, workers, fc.integer({ min: 1, max: 2_000 }), fc.boolean(), (from, to, demand, isLoop) => {
      const node = { batch: { size: demand }, mapBatch: (batch: number[]) => batch, map: undefined }
      const batched = plan(pair({ from, to, node }))
      assert.ok(
        from * ringOf(batched) >= Math.min(from * 524_288, 2 * demand * 128),
        'all lanes into a worker hold two batches',
      )
      const asked = plan(pair({ from, to, edge: { maxDemand: demand } }))
      assert.ok(ringOf(asked) >= Math.min(524_288, demand * 128), 'a lane holds the records that were asked for')
      const graph = pair({ from, to: isLoop ? Math.min(to, 12) : 1 })
      const loop = dataflow('loop', import.meta.url)
        .source('in', { produce: () => [] })
        .transform('work', { concurrency: isLoop ? 12 : 2, map })
        .sink('out', { write: () => {} })
        .connect('in', 'work')
        .connect('work', 'out')
        .connect('work', 'work', { pathType: 'retry' })
      assert.ok(ringOf(plan(loop), 2) >= linkOf(plan(loop), 2).capacity * 128, 'a loop is safe by what its lanes hold')
      for (const { lanes, narrowedFrom } of plan(graph).links)
        for (const { ringBytes, shapeBytes } of lanes.flat()) {
          assert.ok(ringBytes >= 16_384 && Number.isInteger(Math.log2(ringBytes)))
          assert.ok(
            narrowedFrom === undefined ? shapeBytes === 16_384 : ringBytes < narrowedFrom && shapeBytes >= 4_096,
          )
        }
    }),
    { numRuns: 12 },
  )
})
