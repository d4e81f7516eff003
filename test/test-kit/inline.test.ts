/** A graph on one thread: the same handlers, stages and memory, with a clock and crashes of the test's choice. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Context, type Failure, dataflow, mark } from 'millrace'
import { inline } from 'millrace/test'
import hashes from '../../examples/first/graph.ts'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n)
const sorted = (records: readonly unknown[] = []): number[] => [...(records as number[])].sort((a, b) => a - b)

const way = async (seed: number): Promise<string> => {
  const calls: string[] = []
  const graph = dataflow('way', import.meta.url)
    .source('in', { produce: () => numbers(40) })
    .transform('work', {
      concurrency: 3,
      maxInFlight: 4,
      map: async (n: number, { worker }: Context) => {
        await sleep(Math.random() * 100)
        calls.push(`${worker}:${n} at ${Date.now()}`)
        return n
      },
    })
    .sink('out')
    .connect('in', 'work')
    .connect('work', 'out')
  await inline(graph, { seed })
  return calls.join()
}

const cents = async (id: number): Promise<number> => {
  await sleep(5)
  return 100 * id
}

const ids = (packs: readonly unknown[] = []): number[] =>
  sorted(packs.flatMap((pack) => (pack as string).split(': ')[1]!.split(',').map(Number)))

const hourly = (call: (n: number) => unknown, options: object = {}) =>
  dataflow('hourly', import.meta.url)
    .source('in', { produce: () => numbers(3) })
    .transform('work', { maxInFlight: 1, map: async (n: number) => call(n), ...options })
    .sink('out')
    .sink('late')
    .connect('in', 'work')
    .connect('work', 'out')
    .connect('work', 'late', { pathType: 'dead_letter' })

const squares = dataflow('squares', import.meta.url)
  .source('in', { produce: () => numbers(20) })
  .transform('square', { concurrency: 2, map: (n: number) => n * n })
  .sink('out')
  .connect('in', 'square')
  .connect('square', 'out')

describe('inline', () => {
  test('runs a graph to its end, and gives what came out and the report', async () => {
    const { outputs, report, crashes } = await inline(squares)
    assert.deepEqual(
      sorted(outputs['out']),
      numbers(20).map((n) => n * n),
    )
    assert.deepEqual([report.outcome, report.acked, report.failed, report.abandoned], ['finished', 20, 0, 0])
    assert.equal(crashes, 0)
  })

  test('calls the handlers of this thread: a mock or a variable of the test is seen by them', async () => {
    const seen: number[] = []
    const graph = dataflow('seen', import.meta.url)
      .source('in', { produce: () => numbers(5) })
      .sink('save', { write: (n: number) => void seen.push(n) })
      .connect('in', 'save')
    await inline(graph)
    assert.deepEqual(seen, numbers(5))
  })

  test('takes a function that makes the graph, `params`, `setup` and `teardown`', async () => {
    const said: string[] = []
    function made({ factor }: { readonly factor: number }) {
      return dataflow<{ readonly factor: number }>('made', import.meta.url)
        .source('in', { produce: () => numbers(3) })
        .transform('times', {
          setup: async ({ worker }) => {
            await sleep(10)
            said.push(`setup ${worker}`)
            return factor
          },
          map: (n: number, { state, params }) => n * state + params.factor,
          teardown: () => void said.push('teardown'),
        })
        .sink('out')
        .connect('in', 'times')
        .connect('times', 'out')
    }
    const { outputs } = await inline(made, { params: { factor: 10 } })
    assert.deepEqual(outputs['out'], [10, 20, 30])
    assert.deepEqual(said, ['setup 0', 'teardown'])
  })

  test('gives push sources their input, and keeps what was given up', async () => {
    const graph = dataflow('pushed', import.meta.url)
      .source('in', { push: true })
      .transform('parse', { map: (text: string) => JSON.parse(text) as unknown })
      .sink('out')
      .connect('in', 'parse')
      .connect('parse', 'out')
    const { outputs, report, deadLetters } = await inline(graph, { input: { in: ['1', 'no', '[2]'] } })
    assert.deepEqual(outputs['out'], [1, [2]])
    assert.deepEqual([report.acked, report.failed], [2, 1])
    assert.deepEqual(
      deadLetters.map(({ node, input, error }) => [node, input, error.name]),
      [['parse', 'no', 'SyntaxError']],
    )
    await assert.rejects(inline(graph, { input: { parse: [] } }), { code: 'NODE_NOT_PUSHED' })
  })

  test('goes the same way with the same seed, and another one with another seed', async () => {
    const first = await way(1)
    assert.equal(await way(1), first)
    assert.notEqual(await way(2), first)
  })

  test('refuses unknown options', async () => {
    await assert.rejects(inline(squares, { crashShare: 2 }), { code: 'OPTIONS_INVALID' })
  })

  test('runs wait for each other', async () => {
    const runs = await Promise.all([inline(squares), inline(squares, { seed: 7 }), inline(squares)])
    for (const { report } of runs) assert.equal(report.acked, 20)
  })
})

describe('a crash', () => {
  interface Order {
    readonly id: number
    readonly shop: string
  }
  const ordersOf = (saved: Map<string, number>, told: Set<unknown>) =>
    dataflow('orders', import.meta.url)
      .source('orders', {
        chunk: 2,
        produce: ({ cursor }) =>
          numbers(6)
            .slice((cursor as number | undefined) ?? 0)
            .map((id) => mark({ id, shop: `shop ${id % 2}` }, { cursor: id + 1, receipt: id })),
        ack: (successes) => successes.forEach((receipt) => told.add(receipt)),
      })
      .transform('price', { maxInFlight: 2, map: async (order: Order) => ({ ...order, price: await cents(order.id) }) })
      .transform('pack', {
        batch: { size: 2, timeoutMs: 1_000, by: ({ shop }: Order & { price: number }) => shop },
        mapBatch: (orders) => [`${orders[0]!.shop}: ${orders.map(({ id }) => id).join()}`],
      })
      .sink('save', { write: (pack: string, { id }) => void saved.set(id, (saved.get(id) ?? 0) + 1) })
      .sink('packs')
      .connect('orders', 'price')
      .connect('price', 'pack')
      .connect('pack', 'save')
      .connect('save', 'packs')
  test('at each instant there is loses no record and doubles none', async (t) => {
    const whole = await inline(ordersOf(new Map(), new Set()))
    assert.deepEqual(ids(whole.outputs['packs']), numbers(6))
    t.diagnostic(`${whole.instants} instants, ${whole.steps} steps`)
    let last = 0
    for (let crashAt = 0; ; crashAt++) {
      const [saved, told] = [new Map<string, number>(), new Set<unknown>()]
      const run = await inline(ordersOf(saved, told), { crashAt })
      assert.deepEqual(ids(run.outputs['packs']), numbers(6), `crash at ${crashAt}`)
      assert.deepEqual(told, new Set(numbers(6)), `crash at ${crashAt}`)
      assert.equal(run.report.acked, 6)
      // Its side effect may have happened twice, under one id.
      assert.ok([...saved.values()].every((times) => times <= 2))
      if (run.crashes === 0) break
      assert.equal(run.crashes, 1)
      last = crashAt
    }
    assert.ok(last > 100, `${last}`)
  })

  test('by chance, with many seeds, neither', async () => {
    let crashes = 0
    for (let seed = 0; seed < 30; seed++) {
      const run = await inline(squares, { seed, crashShare: 0.3 })
      assert.deepEqual(
        sorted(run.outputs['out']),
        numbers(20).map((n) => n * n),
        `seed ${seed}`,
      )
      crashes += run.crashes
    }
    assert.ok(crashes > 50, `${crashes} crashes`)
  })

  test('ends what a worker had open, and `setup` is called for its replacement', async () => {
    const epochs: number[] = []
    const graph = dataflow('again', import.meta.url)
      .source('in', { produce: () => numbers(4) })
      .transform('work', {
        setup: ({ epoch }) => void epochs.push(epoch),
        map: async (n: number) => {
          await sleep(1_000)
          return n
        },
      })
      .sink('out')
      .connect('in', 'work')
      .connect('work', 'out')
    let run = await inline(graph)
    assert.deepEqual(epochs.splice(0), [0])
    for (let crashAt = 0; crashAt < run.instants; crashAt++) {
      run = await inline(graph, { crashAt })
      assert.deepEqual(sorted(run.outputs['out']), numbers(4), `crash at ${crashAt}`)
    }
    assert.ok(epochs.includes(1))
  })
})

describe('the clock', () => {
  test('of hours takes no time, and `Date`, `performance.now` and timers of handlers go by it', async () => {
    const took: number[] = []
    const call = async (n: number): Promise<number> => {
      const [date, ms] = [new Date(), performance.now()]
      await new Promise((resolve) => setTimeout(resolve, 3_600_000))
      took.push(Date.now() - date.getTime(), Math.round(performance.now() - ms))
      return n
    }
    const before = [setTimeout, Date, performance.now(), Math.random] as const
    const { outputs, report } = await inline(hourly(call))
    assert.deepEqual(outputs['out'], [0, 1, 2])
    assert.equal(took.length, 6)
    for (const ms of took) assert.ok(Math.abs(ms - 3_600_000) < 10, `${ms}`)
    assert.ok(Math.abs(report.seconds - 3 * 3_600) < 1, `${report.seconds}`)
    assert.deepEqual([setTimeout, Date, Math.random], [before[0], before[1], before[3]], 'all is put back')
    assert.ok(performance.now() - before[2] < 60_000)
  })

  test('makes time-outs, retries and batches that wait exact', async () => {
    const { outputs, report } = await inline(
      hourly(() => new Promise(() => undefined), {
        timeoutMs: 60_000,
        retry: { maxAttempts: 3, backoff: 'constant', baseMs: 1_000, jitter: 0 },
      }),
    )
    assert.deepEqual(
      (outputs['late'] as Failure<number>[]).map(({ error, attempts }) => [error.code, attempts]),
      Array.from({ length: 3 }, () => ['HANDLER_TIMEOUT', 3]),
    )
    assert.ok(Math.abs(report.seconds - 3 * 180) < 10, `${report.seconds}`)
  })

  test('waits for files that handlers read', async () => {
    const path = fileURLToPath(import.meta.url)
    const { outputs } = await inline(hourly(async () => (await readFile(path)).length, { timeoutMs: 1 }))
    assert.deepEqual(
      outputs['out'],
      Array.from({ length: 3 }, () => readFileSync(path).length),
    )
  })

  test('of the process waits for servers, where the virtual one says that somebody waits for something outside', async (t) => {
    const server = createServer((_, answer) => void setTimeout(() => answer.end('7'), 5)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const asks = hourly(async () => Number(await (await fetch(url)).text()))
    const { outputs } = await inline(asks, { clock: 'real' })
    assert.deepEqual(outputs['out'], [7, 7, 7])
    await assert.rejects(
      inline(hourly(() => new Promise(() => undefined))),
      (error: { code?: string; detail?: { reason?: string } }) =>
        error.code === 'INLINE_NOT_OVER' && /work\.0 waiting/.test(error.detail?.reason ?? ''),
    )
  })

  test('of a source that never ends comes to the drain that was asked for', async () => {
    const endless = dataflow('endless', import.meta.url)
      .source('in', {
        rateLimit: 10,
        produce: function* () {
          for (let n = 0; ; n++) yield n
        },
      })
      .sink('out')
      .connect('in', 'out')
    const { outputs, report } = await inline(endless, { drainAfter: 200 })
    assert.equal(report.outcome, 'drained')
    assert.equal(report.acked, outputs['out']?.length)
    await assert.rejects(inline(endless, { maxSteps: 1_000 }), { code: 'INLINE_NOT_OVER' })
  })
})

test('a handler of a source that throws ends the run with its error', async () => {
  const graph = dataflow('broken', import.meta.url)
    .source('in', {
      produce: function* () {
        yield 1
        throw new Error('no more')
      },
    })
    .sink('out')
    .connect('in', 'out')
  await assert.rejects(
    inline(graph),
    ({ code, cause }: { code?: string; cause?: Error }) => code === 'WORKER_DIED' && cause?.message === 'no more',
  )
})

test('the first example, on one thread, with its files', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-inline-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const params = { input: join(folder, 'in.txt'), output: join(folder, 'out.ndjson') }
  writeFileSync(params.input, 'one\ntwo\nthree\n')
  const { report } = await inline(hashes, { params })
  assert.equal(report.acked, 3)
  const lines = readFileSync(params.output, 'utf8').trim().split('\n')
  assert.deepEqual(lines.map((line) => (JSON.parse(line) as { line: string }).line).sort(), ['one', 'three', 'two'])
})
