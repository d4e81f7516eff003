import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { dataflow } from 'millrace'
import { Triggers } from '#src/worker/stages/trigger.js'
import type { Parts } from '#src/worker/stage.js'
import { Line } from '../line.ts'

/** A source that gives these chunks, one at each poll, and comes to no end. */
const endless = (...chunks: number[][]) => ({ poll: (): number[] => chunks.shift() ?? [], pollMs: 0 })

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

async function lineOf(by: (() => string) | undefined, source: object, batch: object, options: object = {}) {
  const batches: number[][] = []
  const graph = dataflow('triggers', import.meta.url)
    .source('in', { granule: 4, ...source } as never)
    .sink('work', {
      batch: { timeoutMs: 3_600_000, ...(by && { by }), ...batch },
      write: (records: number[]) => void batches.push([...records]),
    })
    .connect('in', 'work')
  return { line: await Line.of(graph, options), batches }
}

for (const [kind, by] of [
  ['without a key', undefined],
  ['by key', (): string => 'one'],
] as const) {
  describe(`a batch ${kind}`, () => {
    test('closes when it has as many records as it may', async () => {
      const { line: it, batches } = await lineOf(by, endless(upTo(8)), { size: 3 })
      it.settle()
      assert.deepEqual(batches, [
        [0, 1, 2],
        [3, 4, 5],
      ])
    })

    test('closes when its first record has waited long enough, and says until when it does', async () => {
      const { line: it, batches } = await lineOf(by, endless(upTo(2)), { size: 3, timeoutMs: 20 })
      it.settle()
      assert.ok(batches.length === 1 || it.stage('work').wakeAt < Infinity)
      await it.settleUntil(() => batches.length > 0)
      assert.deepEqual(batches, [[0, 1]])
    })

    test('does not wait for more while the pipeline drains', async () => {
      const { line: it, batches } = await lineOf(by, endless(upTo(2)), { size: 3 })
      it.settle()
      assert.deepEqual(batches, [])
      it.drain()
      it.settle()
      assert.deepEqual(batches, [[0, 1]])
    })

    test('does not wait for more once its sources have ended', async () => {
      const { line: it, batches } = await lineOf(by, { produce: () => upTo(4) }, { size: 3 })
      it.settle()
      assert.deepEqual(batches, [[0, 1, 2], [3]])
    })

    test('closes when it holds the room that something above waits for', async () => {
      const { line: it, batches } = await lineOf(
        by,
        endless(upTo(2_000)),
        { size: 10_000 },
        { laneBytes: 1_024, stashBytes: 16_384 },
      )
      it.settle()
      assert.ok(batches.length > 0)
      assert.deepEqual(batches.flat(), upTo(batches.flat().length))
    })
  })
}

test('a stage that is in no hurry has no time at which a batch is pressed', () => {
  let [isDraining, isNear, isHeldUp] = [false, false, false]
  const parts = {
    stage: { input: { batch: { size: 10, timeoutMs: 5 } } },
    isDraining: () => isDraining,
    end: {
      get isNear() {
        return isNear
      },
    },
  } as unknown as Parts
  const triggers = new Triggers(parts, () => isHeldUp)
  assert.deepEqual([triggers.isFull(9), triggers.isFull(10)], [false, true])
  assert.equal(triggers.dueAt(100), 105)
  assert.equal(triggers.isPressed(), false)
  for (const press of [
    (is: boolean): unknown => (isDraining = is),
    (is: boolean): unknown => (isNear = is),
    (is: boolean): unknown => (isHeldUp = is),
  ]) {
    press(true)
    assert.equal(triggers.isPressed(), true)
    press(false)
  }
})
