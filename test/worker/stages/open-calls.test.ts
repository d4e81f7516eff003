import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { dataflow } from 'millrace'
import { Line } from '../line.ts'

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** A handler whose calls end when the test says so. */
class Answers {
  readonly open = new Map<number, () => void>()
  most = 0

  readonly call = async (record: number): Promise<void> => {
    await new Promise<void>((resolve) => {
      this.open.set(record, resolve)
      this.most = Math.max(this.most, this.open.size)
    })
    this.open.delete(record)
  }

  answer(record: number): void {
    this.open.get(record)!()
  }
}

const KINDS = {
  'calls for single records': (answers: Answers, options: object) => ({
    map: async (n: number) => {
      await answers.call(n)
      return n
    },
    ...options,
  }),
  'calls for batches': (answers: Answers, options: object) => ({
    batch: { size: 1, timeoutMs: 3_600_000 },
    mapBatch: async (records: number[]) => {
      await answers.call(records[0]!)
      return records
    },
    ...options,
  }),
}

async function lineOf(work: object, count: number) {
  const graph = dataflow('calls', import.meta.url)
    .source('in', { chunk: 2, produce: () => upTo(count) })
    .transform('work', work as never)
    .sink('out')
    .connect('in', 'work')
    .connect('work', 'out')
  return await Line.of(graph)
}

for (const [kind, optionsOf] of Object.entries(KINDS)) {
  describe(kind, () => {
    test('overlap, as many as may be open and no more', async () => {
      const answers = new Answers()
      const line = await lineOf(optionsOf(answers, { maxInFlight: 3 }), 8)
      for (const n of upTo(8)) {
        await line.settleUntil(() => answers.open.has(n))
        await line.settleUntil(() => answers.open.size === Math.min(3, 8 - n))
        answers.answer(n)
      }
      await line.settleUntil(() => line.out.length === 8)
      assert.equal(answers.most, 3)
      assert.ok(line.stage('work').isAsync)
    })

    test('are sent as they end where no order is promised', async () => {
      const answers = new Answers()
      const line = await lineOf(optionsOf(answers, { maxInFlight: 3 }), 3)
      await line.settleUntil(() => answers.open.size === 3)
      for (const n of [2, 0, 1]) {
        answers.answer(n)
        await line.settleUntil(() => line.out.includes(n))
      }
      assert.deepEqual(line.out, [2, 0, 1])
    })

    test('are sent in the order of the input where one is promised', async () => {
      const answers = new Answers()
      const line = await lineOf(optionsOf(answers, { maxInFlight: 3, ordered: true }), 3)
      await line.settleUntil(() => answers.open.size === 3)
      answers.answer(2)
      answers.answer(1)
      await line.settleUntil(() => answers.open.size === 1)
      assert.deepEqual(line.out, [])
      answers.answer(0)
      await line.settleUntil(() => line.out.length === 3)
      assert.deepEqual(line.out, [0, 1, 2])
    })

    test('that were open at a death are made again, one at a time: so only the culprit is blamed for the next one', async () => {
      const answers = new Answers()
      const line = await lineOf(optionsOf(answers, { maxInFlight: 3 }), 3)
      await line.settleUntil(() => answers.open.size === 3)
      answers.open.clear()
      answers.most = 0
      line.kill('work')
      for (let ended = 0; ended < 3; ended++) {
        await line.settleUntil(() => answers.open.size === 1)
        answers.answer([...answers.open.keys()][0]!)
        await line.settleUntil(() => line.out.length === ended + 1)
      }
      assert.equal(answers.most, 1)
      assert.deepEqual([line.out.length, new Set(line.out)], [3, new Set([0, 1, 2])])
    })

    test('that fail are counted, and give their place back', async () => {
      const graph = dataflow('calls', import.meta.url)
        .source('in', { chunk: 2, produce: () => upTo(4) })
        .transform('work', {
          ...optionsOf(new Answers(), { maxInFlight: 1 }),
          ...(kind === 'calls for batches'
            ? { batch: { size: 1, by: () => 'one' }, mapBatch: () => Promise.reject(new Error('no')) }
            : { map: () => Promise.reject(new Error('no')) }),
        } as never)
        .sink('out')
        .connect('in', 'work')
        .connect('work', 'out')
      const line = await Line.of(graph)
      await line.settleUntil(() => line.counts('work')['failed'] === 4)
      assert.equal(line.counts('work')['inFlight'], 0)
      assert.ok(line.parts('work').pending.stash.isEmpty)
    })
  })
}
