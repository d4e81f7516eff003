/** Batches whose records say how many belong together (`batch.of`). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Failure, type Pipeline, run } from 'millrace'
import { assertConserved, collect, until } from './harness.js'
import { BOTH_FAILS, LEFT_FAILS, MADE, RIGHT_FAILS, diamond, large, quorum } from './joins-graphs.js'

interface Joined {
  readonly n: number
  readonly sides: readonly string[]
  readonly texts: readonly string[]
}

const KILLS = 20

async function read<T>(pipeline: Pipeline, node: string): Promise<T[]> {
  const records: T[] = []
  for await (const record of pipeline.output(node)) records.push(record as T)
  return records
}

function assertAll(joined: readonly Joined[], failures: readonly Failure<{ n: number; input?: unknown }[]>[]): void {
  const numbers = Array.from({ length: MADE }, (_, n) => n)
  const whole = joined.map(({ n }) => n).toSorted((a, b) => a - b)
  assert.deepEqual(
    whole,
    numbers.filter((n) => n % BOTH_FAILS !== 0),
    'each pair is joined once',
  )
  for (const { n, sides, texts } of joined) {
    assert.deepEqual(sides, ['left', 'right'], `of ${n}`)
    assert.equal(texts[0], n % LEFT_FAILS === 0 ? 'failed' : 'x'.repeat(n % 50), `left of ${n}`)
    assert.equal(texts[1], n % RIGHT_FAILS === 0 ? 'failed' : 'y', `right of ${n}`)
  }
  assert.equal(failures.length, MADE - whole.length, 'a pair that fails is one failure')
  for (const { input } of failures) assert.equal(input.length, 2, 'of both')
}

test('a batch waits for all that belong together, and fails as one', async () => {
  const { outputs, report } = await collect(diamond)
  assertAll(outputs['out'] as Joined[], outputs['failed'] as never[])
  assert.equal(report.abandoned, 0)
})

test('a death at any instant joins no pair twice and loses none', { timeout: 120_000 }, async (t) => {
  const pipeline = await run(diamond, { restart: { maxRestarts: 1_000, backoffMs: 0 } })
  const read2 = Promise.all([read<Joined>(pipeline, 'out'), read<Failure<{ n: number }[]>>(pipeline, 'failed')])
  const isOver = (): boolean => pipeline.state !== 'running'
  let kills = 0
  const stages = [
    ['left', 0],
    ['right', 0],
    ['right', 1],
    ['both', 0],
    ['both', 1],
  ] as const
  while (!isOver() && kills < KILLS) {
    const [node, worker] = stages[kills++ % stages.length]!
    await pipeline.restartWorker(node, worker).catch(() => undefined)
    const { done } = pipeline.snapshot().nodes['both']!
    await until(() => isOver() || pipeline.snapshot().nodes['both']!.done > done, 'more is joined', 1)
  }
  await pipeline.finished
  t.diagnostic(`${kills} restarts`)
  const [joined, failures] = await read2
  assertAll(joined, failures)
  assertConserved(pipeline)
})

interface Quorum {
  readonly n: number
  readonly sides: readonly string[]
}

test('a batch that weighs enough is handed over once, and those of it that come later end without a call', async () => {
  const { outputs, report } = await collect(quorum)
  assertQuorums(outputs['out'] as Quorum[], outputs['failed'] as never[])
  assert.equal(report.abandoned, 0)
})

function assertQuorums(found: readonly Quorum[], failures: readonly Failure<{ n: number }[]>[]): void {
  const numbers = [...found.map(({ n }) => n), ...failures.map(({ input }) => input[0]!.n)]
  assert.deepEqual(
    numbers.toSorted((a, b) => a - b),
    Array.from({ length: MADE }, (_, n) => n),
    'each is handed over once',
  )
  for (const { n, sides } of found) assert.equal(new Set(sides).size, 2, `of ${n}`)
  assert.ok(failures.every(({ input }) => input.length === 2 && input[0]!.n % BOTH_FAILS === 0))
}

test(
  'a death at any instant hands over no such batch twice, and loses no late record',
  { timeout: 120_000 },
  async (t) => {
    const pipeline = await run(quorum, { restart: { maxRestarts: 1_000, backoffMs: 0 } })
    const outputs = Promise.all([read<Quorum>(pipeline, 'out'), read<Failure<{ n: number }[]>>(pipeline, 'failed')])
    const isOver = (): boolean => pipeline.state !== 'running'
    let kills = 0
    while (!isOver() && kills < KILLS) {
      const [node, worker] = (
        [
          ['two', 0],
          ['slow', 0],
          ['two', 1],
          ['steady', 1],
        ] as const
      )[kills++ % 4]!
      await pipeline.restartWorker(node, worker).catch(() => undefined)
      const { done } = pipeline.snapshot().nodes['two']!
      await until(() => isOver() || pipeline.snapshot().nodes['two']!.done > done, 'more is handed over', 1)
    }
    await pipeline.finished
    t.diagnostic(`${kills} restarts`)
    assertQuorums(...(await outputs))
    assertConserved(pipeline)
  },
)

test('a record for which the stash has no room is joined as the small one that stands for it', async () => {
  const { outputs } = await collect(large, { stashBytes: 65_536 })
  const joined = outputs['out'] as { n: number; bytes: number[]; lost: number }[]
  assert.deepEqual(
    joined.map(({ n }) => n).toSorted((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7],
  )
  for (const { n, lost } of joined) assert.equal(lost, n % 2 === 0 ? 1 : 0, `of ${n}`)
})
