import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Context, dataflow } from 'millrace'
import { Triggers } from '#src/worker/stages/trigger.js'
import type { Parts } from '#src/worker/stage.js'
import { Line } from '../line.ts'

/** A source that gives these chunks, one at each poll, and comes to no end. */
const endless = (...chunks: number[][]) => ({ poll: (): number[] => chunks.shift() ?? [], pollMs: 0 })

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

async function lineOf(by: (() => string) | undefined, source: object, batch: object, options: object = {}) {
  const batches: number[][] = []
  const graph = dataflow('triggers', import.meta.url)
    .source('in', { chunk: 4, ...source } as never)
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

/** Batches of a stage that weighs its records, which come one by one and whose weight they are themselves. */
async function weighed(records: number[], batch: object, by?: (n: number) => number) {
  const batches: unknown[] = []
  const graph = dataflow('weighed', import.meta.url)
    .source('in', { produce: () => records })
    .sink('work', {
      batch: { timeoutMs: 3_600_000, weigh: (n: number) => n, ...batch, ...(by && { by }) },
      write: (all: number[], { batch: facts }: Context) => {
        assert.equal(facts!.size, all.length)
        batches.push([facts!.trigger, facts!.weight, ...all])
      },
    })
    .connect('in', 'work')
  const line = await Line.of(graph)
  line.settle()
  return { line, batches }
}

describe('a batch whose records are weighed', () => {
  test('closes with the record that reaches its weight, or its size', async () => {
    const { batches } = await weighed([1, 2, 3, 0, 0, 0, 9, 1], { weight: 5, size: 3 })
    assert.deepEqual(batches, [
      ['size', 6, 1, 2, 3],
      ['size', 0, 0, 0, 0],
      ['weight', 9, 9],
      ['end', 1, 1],
    ])
  })

  test('never weighs more than it may, but for a record that is too heavy by itself', async () => {
    const { batches } = await weighed([3, 3, 1, 4, 20, 2, 7], { maxWeight: 7 })
    assert.deepEqual(batches, [
      ['weight', 7, 3, 3, 1],
      ['weight', 4, 4],
      ['weight', 20, 20],
      ['weight', 2, 2],
      ['weight', 7, 7],
    ])
  })

  test('is told its key, and closes for the others when too many are open: the one that was added to longest ago', async () => {
    const { batches, line } = await weighed([1, 2, 11, 3, 4], { maxWeight: 100, maxOpen: 2 }, (n) => n % 10)
    assert.deepEqual(batches, [
      ['evict', 2, 2],
      ['evict', 12, 1, 11],
      ['end', 3, 3],
      ['end', 4, 4],
    ])
    assert.deepEqual(line.batches('work'), { evict: 2, end: 2 })
  })

  test('fails a record whose weight is none, and no other', async () => {
    const { batches, line } = await weighed([1, -1, 2, Number.NaN, Infinity, 3], { weight: 100 })
    assert.deepEqual(batches, [['end', 6, 1, 2, 3]])
    assert.equal(line.counts('work')['failed'], 3)
    assert.match(line.events[0]!.error.message, /batch\.weigh.*finite number of at least 0/)
  })
})

test('a batch to which nothing is added for long enough closes', async () => {
  const { line, batches } = await lineOf(undefined, endless(upTo(2)), { size: 3, idleMs: 5 })
  await line.settleUntil(() => batches.length > 0)
  assert.deepEqual(line.batches('work'), { idle: 1 })
})

test('batches of one key go one at a time where they are serial, beside those of other keys', async () => {
  const started: number[][] = []
  const ends: (() => void)[] = []
  const graph = dataflow('serial', import.meta.url)
    .source('in', { produce: () => [0, 2, 4, 6, 1, 3] })
    .sink('work', {
      maxInFlight: 8,
      batch: { size: 2, timeoutMs: 3_600_000, by: (n: number) => n % 2, serial: true },
      write: (records: number[], { batch }: Context) => {
        started.push([batch!.key as number, ...records])
        return new Promise<void>((resolve) => ends.push(resolve))
      },
    })
    .connect('in', 'work')
  const line = await Line.of(graph)
  line.settle()
  assert.deepEqual(started, [
    [0, 0, 2],
    [1, 1, 3],
  ])
  ends[0]!()
  await line.settleUntil(() => started.length > 2)
  assert.deepEqual(started[2], [0, 4, 6])
})

test('a stage that is in no hurry has no time at which a batch is pressed', () => {
  let [isDraining, isNear, isHeldUp] = [false, false, false]
  const batch = { size: 10, timeoutMs: 5, idleMs: 3, weighed: true, weight: 7, maxWeight: 9 }
  const parts = {
    stage: { input: { batch } },
    isDraining: () => isDraining,
    end: {
      get isNear() {
        return isNear
      },
    },
    markers: { isHere: false },
  } as unknown as Parts
  const triggers = new Triggers(parts, () => isHeldUp)
  assert.deepEqual(
    [triggers.fullBy(9, 6.9), triggers.fullBy(10, 7), triggers.fullBy(1, 7)],
    [undefined, 'size', 'weight'],
  )
  assert.deepEqual([triggers.dueAt(100, 101), triggers.dueAt(100, 104)], [104, 105])
  assert.deepEqual(
    [triggers.dueBy(103, 100, 101), triggers.dueBy(104, 100, 101), triggers.dueBy(105, 100, 104)],
    [undefined, 'idle', 'timeout'],
  )
  assert.equal(triggers.pressedBy(), undefined)
  for (const [trigger, press] of [
    ['drain', (is: boolean): unknown => (isDraining = is)],
    ['end', (is: boolean): unknown => (isNear = is)],
    ['pressure', (is: boolean): unknown => (isHeldUp = is)],
  ] as const) {
    press(true)
    assert.equal(triggers.pressedBy(), trigger)
    press(false)
  }
})
