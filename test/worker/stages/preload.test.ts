import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataflow, type PreloadContext } from 'millrace'
import { Line } from '../line.ts'

type Names = (records: readonly number[], context: PreloadContext) => string[] | Promise<string[]>

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
const nameOf = (n: number): string => `name ${n}`
const sorted = (records: readonly unknown[]): unknown[] => records.toSorted((a, b) => (String(a) < String(b) ? -1 : 1))

async function lineOf(preload: Names, options: object = {}, count = 8) {
  const graph = dataflow('preload', import.meta.url)
    .source('in', { chunk: 4, produce: () => upTo(count) })
    .transform('work', {
      preload,
      map: (n: number, { preloaded }: { preloaded: string }) => `${n} is ${preloaded}`,
      ...options,
    })
    .sink('out')
    .connect('in', 'work')
    .connect('work', 'out')
  const line = await Line.of(graph)
  line.settle('in')
  return line
}

const all = upTo(8).map((n) => `${n} is name ${n}`)

test('records that are due together are looked up in one call, and each is given its own value', async () => {
  const calls: (readonly number[])[] = []
  const line = await lineOf((records) => {
    calls.push(records)
    return records.map(nameOf)
  })
  line.settle()
  assert.deepEqual(line.out, all)
  assert.deepEqual(calls, [upTo(8)])
  assert.equal(line.counts('work')['done'], 8)
})

test('a call of `preload` has `preloadSize` records at most', async () => {
  const sizes: number[] = []
  const line = await lineOf(
    (records) => {
      sizes.push(records.length)
      return records.map(nameOf)
    },
    { preloadSize: 3 },
  )
  line.settle()
  assert.deepEqual(line.out, all)
  assert.deepEqual(sizes, [3, 3, 2])
})

test('calls of the handler go on while the next records are looked up', async () => {
  const answers: (() => void)[] = []
  const line = await lineOf((records) => new Promise((resolve) => answers.push(() => resolve(records.map(nameOf)))), {
    preloadSize: 4,
    map: async (n: number, { preloaded }: { preloaded: string }) => `${n} is ${preloaded}`,
  })
  await line.settleUntil(() => answers.length === 1)
  assert.equal(line.out.length, 0)
  answers[0]!()
  await line.settleUntil(() => answers.length === 2 && line.out.length === 4)
  answers[1]!()
  await line.settleUntil(() => line.out.length === 8)
  assert.deepEqual(sorted(line.out), all)
})

for (const [what, preload, message] of [
  [
    'throws',
    (records: readonly number[]): string[] => {
      if (records.includes(2)) throw new Error('the database is gone')
      return records.map(nameOf)
    },
    /the database is gone/,
  ],
  ['rejects', async (): Promise<string[]> => Promise.reject(new Error('the database is gone')), /gone/],
  ['returns too few values', (): string[] => ['one'], /1 values for 4 records/],
  ['returns no array', () => 7 as never, /preload/],
] as const) {
  test(`a call of \`preload\` that ${what} fails its records, and no others`, async () => {
    let calls = 0
    const first: Names = (records) => (calls++ === 0 ? preload(records) : records.map(nameOf))
    const line = await lineOf(first, { preloadSize: 4 })
    await line.settleUntil(() => line.counts('work')['failed'] === 4 && line.out.length === 4)
    assert.deepEqual(line.out, all.slice(4))
    const failed = line.events.filter(({ name }) => name === 'record.failed')
    assert.deepEqual(
      failed.map(({ input }) => input),
      [0, 1, 2, 3],
    )
    for (const { error } of failed) assert.match(error.message, message)
  })
}

test('records whose look-up failed are looked up again at their next attempt', async () => {
  let calls = 0
  const line = await lineOf(
    (records) => {
      if (calls++ === 0) throw new Error('not yet')
      return records.map(nameOf)
    },
    { retry: { maxAttempts: 2, baseMs: 0 } },
  )
  await line.settleUntil(() => line.out.length === 8)
  assert.deepEqual(sorted(line.out), all)
  assert.equal(line.counts('work')['retried'], 8)
})

test('a look-up that takes longer than `timeoutMs` fails its records, and its signal is aborted', async () => {
  const signals: AbortSignal[] = []
  const line = await lineOf(
    (_, { signal }) => {
      signals.push(signal)
      return new Promise(() => undefined)
    },
    { timeoutMs: 5 },
  )
  await line.settleUntil(() => line.counts('work')['failed'] === 8)
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true],
  )
  assert.ok(line.events.every(({ error }) => error.code === 'HANDLER_TIMEOUT'))
})

test('what was looked up and not handed off when the worker died is looked up again, and comes out once', async () => {
  let calls = 0
  const line = await lineOf((records) => {
    calls++
    return records.map(nameOf)
  })
  line.step('work')
  line.step('work')
  line.kill('work')
  line.settle()
  assert.deepEqual(sorted(line.out), all)
  assert.equal(calls, 2)
})

test('a record that is too large for the stash is looked up by itself', async () => {
  const lengths: number[][] = []
  const graph = dataflow('large', import.meta.url)
    .source('in', { chunk: 4, produce: () => ['a', 'x'.repeat(1_000), 'b'] })
    .transform('work', {
      stashBytes: 4_096,
      preload: async (texts: readonly string[]) => {
        const found = texts.map(({ length }) => length)
        lengths.push(found)
        return found
      },
      map: (_: string, { preloaded }) => preloaded,
    })
    .sink('out')
    .connect('in', 'work')
    .connect('work', 'out')
  const line = await Line.of(graph)
  await line.settleUntil(() => line.out.length === 3)
  assert.deepEqual(sorted(line.out), [1, 1, 1_000])
  assert.deepEqual(
    lengths.find((each) => each.includes(1_000)),
    [1_000],
  )
})

test('keys keep their order, also where look-ups fail now and then', async () => {
  let calls = 0
  const graph = dataflow('ordered', import.meta.url)
    .source('in', { chunk: 4, produce: () => upTo(40) })
    .transform('work', {
      ordered: true,
      partitionBy: (n: number) => n % 3,
      retry: { maxAttempts: 5, baseMs: 0 },
      preloadSize: 4,
      preload: (records: readonly number[]) => {
        if (calls++ % 3 === 0) throw new Error('now and then')
        return records.map(nameOf)
      },
      map: (n: number, { preloaded }) => [n, preloaded],
    })
    .sink('out')
    .connect('in', 'work')
    .connect('work', 'out')
  const line = await Line.of(graph)
  await line.settleUntil(() => line.out.length === 40)
  for (const key of [0, 1, 2]) {
    const ofKey = (line.out as [number, string][]).filter(([n]) => n % 3 === key)
    assert.deepEqual(
      ofKey,
      upTo(40)
        .filter((n) => n % 3 === key)
        .map((n) => [n, nameOf(n)]),
    )
  }
})
