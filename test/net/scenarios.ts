/**
 * What the net found, and what it could not find by chance, each as the smallest graph that shows it. Run under the condition
 * `net`, by `net.test.ts`.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { dataflow, mark } from 'millrace'
import type { Context, Failure, GraphData } from 'millrace/graph'
import { fuse } from '#src/test-kit/fuse.js'
import { type Later, type Played, play } from './play.ts'
import { InletLane } from '#src/worker/in/inlet.js'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
const sorted = (records: readonly unknown[] = []): number[] => [...(records as number[])].sort((a, b) => a - b)
const same = (batch: readonly number[]): number[] => [...batch]
const lethal = 7
const wait = (ms: number): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, ms))
const answers = (n: number): number | Promise<number> => (n === 0 ? new Promise<number>(() => undefined) : n)
/** Kills whatever encodes it. */
const bomb = (n: number): object => ({
  n,
  get fuse(): never {
    return fuse.die()
  },
})
const openBatches = (count: number, keys: number, batch: object): GraphData =>
  start('open', count, { window: 20_000 })
    .transform('work', {
      batch: { ...batch, by: (n: number) => n % keys },
      mapBatch: same,
    })
    .sink('out')
    .connect('in', 'work')
    .connect('work', 'out')
const start = (name: string, count: number, options: object = {}) =>
  dataflow(name, import.meta.url).source('in', { produce: () => numbers(count), ...options })

function check({ faults, pipeline }: Played): void {
  assert.deepEqual(faults, [])
  pipeline.check()
  assert.deepEqual(faults, [])
}

describe('a call that never answers', () => {
  const stages = {
    'of a function that may return a promise': { map: answers },
    'of an async function': { map: async (n: number) => answers(n) },
    'of a handler that makes several records': { flatMap: async (n: number) => [await answers(n)] },
  }
  for (const [what, handler] of Object.entries(stages)) {
    test(`${what} holds up no other, from the first record of a worker's life on`, async () => {
      const graph = start('first', 10)
        .transform('work', { ...handler, maxInFlight: 4 })
        .sink('out')
        .connect('in', 'work')
        .connect('work', 'out')
      const { out } = await play(() => graph)
      assert.deepEqual(sorted(out.get('out')), numbers(10).slice(1))
    })
  }

  test('of a batch holds up no other batch', async () => {
    const graph = start('batch', 10)
      .transform('work', {
        batch: { size: 2, timeoutMs: 1 },
        maxInFlight: 3,
        mapBatch: (batch: readonly number[]) => (batch.includes(0) ? new Promise<number[]>(() => undefined) : batch),
      })
      .sink('out')
      .connect('in', 'work')
      .connect('work', 'out')
    const { out } = await play(() => graph)
    const missing = numbers(10).filter((n) => !sorted(out.get('out')).includes(n))
    assert.ok(missing.length <= 2 && missing.includes(0), missing.join())
  })
})

test('a call that is late, after its time is over, sends nothing for the record that is called after it', async () => {
  const graph: GraphData = start('late', 3)
    .transform('work', {
      timeoutMs: 50,
      maxInFlight: 1,
      map: async (n: number, context: Context) => {
        if (n === 0) void wait(70).then(() => context.emit('more', n))
        await (n === 0 ? new Promise(() => undefined) : wait(40))
        return n
      },
    })
    .sink('out')
    .sink('more')
    .connect('in', 'work')
    .connect('work', 'out')
    .connect('work', 'more', { when: 'more' })
  const { out } = await play(() => graph)
  assert.equal(out.get('more'), undefined)
})

describe('at the end of the sources', () => {
  const hour = { batch: { size: 1_000, timeoutMs: 3_600_000 } }
  const ends = {
    'a batch': () =>
      start('end', 50)
        .transform('work', { ...hour, mapBatch: same })
        .sink('out')
        .connect('in', 'work')
        .connect('work', 'out'),
    'one batching stage after another': () =>
      start('end', 50)
        .transform('work', { ...hour, mapBatch: same })
        .transform('again', { batch: { ...hour.batch, by: (n: number) => n % 7 }, mapBatch: same })
        .sink('out')
        .connect('in', 'work')
        .connect('work', 'again')
        .connect('again', 'out'),
    'a batch behind a stage that tries again by a retry edge': () =>
      start('end', 50)
        .transform('tries', {
          retry: { maxAttempts: 3 },
          map: (n: number, { attempt }: Context) => {
            if (attempt < 3 && n % 5 === 0) throw new Error('not yet')
            return n
          },
        })
        .transform('work', { ...hour, mapBatch: same })
        .sink('out')
        .connect('in', 'tries')
        .connect('tries', 'tries', { pathType: 'retry' })
        .connect('tries', 'work')
        .connect('work', 'out'),
    'a batch within a loop': () =>
      start('end', 50)
        .transform('work', { ...hour, mapBatch: same })
        .conditional('again', { route: (n: number) => (n > 100 || n % 2 === 0 ? 'done' : 'once more') })
        .transform('add', { map: (n: number) => n + 100 })
        .sink('out')
        .connect('in', 'work')
        .connect('work', 'again')
        .connect('again', 'out', { when: 'done' })
        .connect('again', 'add', { when: 'once more' })
        .connect('add', 'work'),
  }
  for (const [what, graph] of Object.entries(ends)) {
    for (const [deaths, deathShare] of [
      ['', 0],
      [', whoever dies', 0.2],
    ] as const) {
      test(`${what} goes at once, and waits for no time${deaths}`, async () => {
        const played = await play(graph as () => GraphData, { deathShare, maxDeaths: 30 })
        check(played)
        assert.equal(played.out.get('out')?.length, 50)
        assert.ok(played.tookMs < 60_000, `${played.tookMs} ms`)
      })
    }
  }
})

describe('thousands of records in open batches', () => {
  const run = { stashBytes: 16_777_216 }

  test('all go when their time comes, in as many hand-offs as the journal needs', async () => {
    const played = await play(() => openBatches(50_000, 5_000, { timeoutMs: 50 }), {
      run,
      deathShare: 0.001,
      maxDeaths: 20,
    })
    check(played)
    assert.deepEqual(sorted(played.out.get('out')), numbers(50_000))
  })

  test('all go at a drain', async () => {
    const drained = { run, drainAfter: 20_000 }
    const played = await play(() => openBatches(1_000_000, 50, { size: 1_000, timeoutMs: 3_600_000 }), drained)
    check(played)
    assert.ok((played.out.get('out')?.length ?? 0) > 3_000, `${played.out.get('out')?.length}`)
  })
})

test('a record in fragments that waits for room goes to its own worker, and so do those beside it', async () => {
  const texts = numbers(200).map((n) => ({ n, text: 'x'.repeat(n % 4 === 0 ? 2_000 : 10) }))
  const graph = dataflow('large', import.meta.url)
    .source('in', { chunk: 3, produce: () => texts })
    .transform('work', { concurrency: 2, partitionBy: ({ n }) => n % 13, map: ({ n }) => n })
    .sink('out')
    .connect('in', 'work', { laneBytes: 1_024 })
    .connect('work', 'out')
  const played = await play(() => graph)
  check(played)
  assert.deepEqual(sorted(played.out.get('out')), numbers(200))
})

test('a record in fragments whose writer died half way holds up no other lane of its reader', async () => {
  for (const seed of numbers(8)) {
    const made = numbers(60)
    const graph = dataflow('broken', import.meta.url)
      .source('in', {
        concurrency: 3,
        chunk: 4,
        window: 64,
        produce: () => made.map((n) => ({ n, text: 'x'.repeat(3_000) })),
      })
      .transform('work', { concurrency: 2, map: ({ n }) => n })
      .sink('out')
      .connect('in', 'work', { laneBytes: 1_024 })
      .connect('work', 'out')
    const played = await play(() => graph, { seed, deathShare: 0.3, maxDeaths: 60 })
    check(played)
    assert.deepEqual(sorted(played.out.get('out')), sorted([...made, ...made, ...made]))
  }
})

test('receipts are told of their own records, also where a chunk is only a part of what was taken', async () => {
  const told: number[] = []
  const graph = dataflow('receipts', import.meta.url)
    .source('in', {
      chunk: 40,
      produce: () => numbers(100).map((n) => mark(n, { receipt: n, ...(n % 5 === 0 ? { cursor: `page ${n}` } : {}) })),
      ack: (successes) => void told.push(...(successes as number[])),
    })
    .sink('out')
    .connect('in', 'out')
  check(await play(() => graph, { run: { stashBytes: 4_096 } }))
  assert.deepEqual(sorted(told), numbers(100))
})

const limited = (count: number, rateLimit: number, options: object = {}): GraphData =>
  start('limited', count, { rateLimit, ...options })
    .sink('out')
    .connect('in', 'out')
const slowly = async (n: number): Promise<number> => (await wait(5), n)
const limitedWork = (work: object, count = 30): GraphData =>
  start('limited', count)
    .transform('work', { rateLimit: 100, ...(work as { map: (n: number) => number }) })
    .sink('out')
    .connect('in', 'work')
    .connect('work', 'out')
/** Of four workers one has records. */
const ofOneWorker = ({ worker }: { worker: number }): number[] => (worker === 1 ? numbers(200) : [])

describe('a source with a rate limit', () => {
  test('sends its first record at once, and ends with its last one, not an interval later', async () => {
    const played = await play(() => limited(3, 1))
    check(played)
    assert.ok(Math.abs(played.tookMs - 2_000) < 200, `${played.tookMs} ms`)
  })

  test('has the whole rate if only one of its workers has records', async () => {
    const played = await play(() => limited(0, 100, { concurrency: 4, produce: ofOneWorker }))
    check(played)
    assert.equal(played.out.get('out')?.length, 200)
    assert.ok(Math.abs(played.tookMs - 1_990) < 200, `${played.tookMs} ms`)
  })

  test('sends what it has taken when it drains, though the limit would not let it through yet', async () => {
    const played = await play(() => limited(1_000, 0.01), { drainAfter: 6 })
    check(played)
    const sent = sorted(played.out.get('out'))
    assert.deepEqual(sent, numbers(sent.length))
    assert.ok(sent.length >= 1 && sent.length <= 2, `${sent.length} records`)
    assert.ok(played.tookMs < 50_000, `${played.tookMs} ms`)
  })
})

describe('a stage with a rate limit', () => {
  const tick = { size: 10, timeoutMs: 1_000 }
  const kinds: Record<string, { readonly work: object; readonly tookMs: number }> = {
    'calls its handler at the rate': { work: { map: (n: number) => n }, tookMs: 290 },
    'starts async calls at the rate, however many may be open': { work: { map: slowly }, tookMs: 290 },
    'keeps the order of its records': { work: { ordered: true, retry: { maxAttempts: 2 }, map: slowly }, tookMs: 290 },
    'counts a batch as its records': { work: { batch: tick, mapBatch: same }, tookMs: 200 },
    'counts a batch by key as its records': {
      work: { batch: { ...tick, by: (n: number) => n % 3 }, mapBatch: same },
      tookMs: 200,
    },
    'lets a burst through at once': {
      work: { rateLimit: { perSecond: 100, burst: 11 }, map: (n: number) => n },
      tookMs: 190,
    },
  }
  for (const [what, { work, tookMs }] of Object.entries(kinds)) {
    test(what, async () => {
      const played = await play(() => limitedWork(work))
      check(played)
      assert.deepEqual(sorted(played.out.get('out')), numbers(30))
      assert.ok(Math.abs(played.tookMs - tookMs) < 25, `${played.tookMs} ms`)
    })

    test(`${what}, and loses no record whenever its workers die`, async () => {
      for (const seed of [1, 2, 3]) {
        const played = await play(() => limitedWork({ ...work, concurrency: 2, maxCrashes: 100 }, 60), {
          seed,
          deathShare: 0.2,
          maxDeaths: 30,
        })
        check(played)
        assert.deepEqual(sorted(played.out.get('out')), numbers(60))
      }
    })
  }

  test('counts further attempts too', async () => {
    const failing = new Set<number>()
    const map = (n: number): number => {
      if (failing.has(n)) return n
      failing.add(n)
      throw new Error('once')
    }
    const played = await play(() => limitedWork({ retry: { maxAttempts: 2, baseMs: 1, maxMs: 1 }, map }))
    check(played)
    assert.deepEqual(sorted(played.out.get('out')), numbers(30))
    assert.ok(Math.abs(played.tookMs - 590) < 25, `${played.tookMs} ms`)
  })

  test('has the whole rate if only one of its workers has records', async () => {
    const played = await play(() => limitedWork({ concurrency: 4, partitionBy: () => 'one', map: (n: number) => n }))
    check(played)
    assert.ok(Math.abs(played.tookMs - 290) < 25, `${played.tookMs} ms`)
  })

  test('hands the records of an output out at the rate', async () => {
    const graph = start('limited', 30).sink('out', { rateLimit: 100 }).connect('in', 'out')
    const played = await play(() => graph)
    check(played)
    assert.ok(Math.abs(played.tookMs - 290) < 25, `${played.tookMs} ms`)
  })
})

describe('a record that kills', () => {
  const plain = { maxCrashes: 2 }
  const graphs: Record<string, () => GraphData> = {
    'who encodes what came of it': () =>
      start('lethal', 40)
        .transform('work', { ...plain, map: (n: number) => (n === lethal ? bomb(n) : { n }) as { n: number } })
        .transform('next', { map: ({ n }: { n: number }) => n })
        .sink('out')
        .sink('dead')
        .connect('in', 'work')
        .connect('work', 'next')
        .connect('work', 'dead', { pathType: 'dead_letter' })
        .connect('next', 'out'),
    'who asks for its key': () =>
      start('lethal', 40)
        .transform('work', { ...plain, map: (n: number) => n })
        .transform('next', {
          concurrency: 2,
          partitionBy: (n: number) => (n === lethal ? fuse.die() : n),
          map: (n: number) => n,
        })
        .sink('out')
        .sink('dead')
        .connect('in', 'work')
        .connect('work', 'next')
        .connect('work', 'dead', { pathType: 'dead_letter' })
        .connect('next', 'out'),
    'who routes it': () =>
      start('lethal', 40)
        .transform('work', { ...plain, map: (n: number) => n })
        .conditional('which', { route: (n: number) => (n === lethal ? fuse.die() : 'all') })
        .sink('out')
        .sink('dead')
        .connect('in', 'work')
        .connect('work', 'which')
        .connect('work', 'dead', { pathType: 'dead_letter' })
        .connect('which', 'out', { when: 'all' }),
    'who asks for the key of its batch': () =>
      start('lethal', 40)
        .transform('work', {
          ...plain,
          batch: { size: 3, timeoutMs: 1, by: (n: number) => (n === lethal ? fuse.die() : n % 2) },
          mapBatch: (batch: readonly number[]) => [...batch],
        })
        .sink('out')
        .sink('dead')
        .connect('in', 'work')
        .connect('work', 'out')
        .connect('work', 'dead', { pathType: 'dead_letter' }),
    'the handler of its batch': () =>
      start('lethal', 40)
        .transform('work', {
          ...plain,
          batch: { size: 3, timeoutMs: 1 },
          mapBatch: (batch: readonly number[]) => (batch.includes(lethal) ? fuse.die() : [...batch]),
        })
        .sink('out')
        .sink('dead')
        .connect('in', 'work')
        .connect('work', 'out')
        .connect('work', 'dead', { pathType: 'dead_letter' }),
  }
  for (const [who, graph] of Object.entries(graphs)) {
    test(`${who} is given up after its share of deaths, and no other record with it`, async () => {
      const played = await play(graph, { maxSteps: 50_000 })
      check(played)
      assert.deepEqual(
        sorted(played.out.get('out')),
        numbers(40).filter((n) => n !== lethal),
      )
      const dead = (played.out.get('dead') as Failure<number>[] | undefined) ?? []
      assert.deepEqual(
        dead.map(({ input }) => input),
        [lethal],
      )
      assert.ok(played.pipeline.deaths <= 8, `${played.pipeline.deaths} deaths`)
    })
  }

  test('its source when it is sent is given up, and no other record with it', async () => {
    const graph = dataflow('lethal', import.meta.url)
      .source('in', { produce: () => numbers(40).map((n) => (n === lethal ? bomb(n) : { n }) as { n: number }) })
      .sink('out')
      .sink('dead')
      .connect('in', 'out')
      .connect('in', 'dead', { pathType: 'dead_letter' })
    const played = await play(() => graph, { maxSteps: 50_000 })
    check(played)
    const out = played.out.get('out') as { n: number }[]
    assert.deepEqual(
      sorted(out.map(({ n }) => n)),
      numbers(40).filter((n) => n !== lethal),
    )
    assert.equal(played.out.get('dead')?.length, 1)
    assert.ok(played.pipeline.deaths <= 8, `${played.pipeline.deaths} deaths`)
  })

  for (const [what, batch] of Object.entries({
    records: undefined,
    batches: { size: 3, timeoutMs: 1 },
    'batches by key': { size: 3, timeoutMs: 1, by: (n: number) => n % 2 },
  })) {
    test(`who reads it from its lane is given up unread, by a stage of ${what}`, async () => {
      // oxlint-disable-next-line typescript/unbound-method -- it is put back, and called with its lane
      const { decode } = InletLane.prototype
      // Nothing that is sent kills its reader but by its size: this is what a heap that is exhausted looks like.
      InletLane.prototype.decode = function (at, chunk): void {
        decode.call(this, at, chunk)
        if (this.link.toNode === 'work' && Array.from(chunk.values).includes(lethal)) fuse.die()
      }
      try {
        const handler =
          batch === undefined ? { map: (n: number) => n } : { batch, mapBatch: (all: readonly number[]) => [...all] }
        const graph = start('unread', 40, { chunk: 1 })
          .transform('work', { ...plain, ...handler })
          .sink('out')
          .sink('dead')
          .connect('in', 'work')
          .connect('work', 'out')
          .connect('work', 'dead', { pathType: 'dead_letter' })
        const played = await play(() => graph, { maxSteps: 50_000 })
        check(played)
        assert.deepEqual(
          sorted(played.out.get('out')),
          numbers(40).filter((n) => n !== lethal),
        )
        assert.deepEqual(
          (played.out.get('dead') as Failure[]).map(({ input }) => input),
          [undefined],
        )
      } finally {
        InletLane.prototype.decode = decode
      }
    })
  }
})

test('a record of a batch that waits for another attempt is not given up too, if the batch kills its worker half sent', async () => {
  let hasKilled = false
  const killsOnce = (n: number): object => ({
    get n(): number {
      if (n === 2 && !hasKilled) {
        hasKilled = true
        fuse.die()
      }
      return n
    },
  })
  const graph = start('once', 4)
    .transform('work', {
      batch: { size: 4, timeoutMs: 1 },
      retry: { maxAttempts: 2, baseMs: 1 },
      mapBatch(batch: readonly number[], context: Context<string>): number[] {
        if (batch.includes(3)) context.fail(3, new Error('it fails'))
        // The lane holds one: with the second one the batch is half sent, and what it kept is known to a successor.
        for (const n of batch) context.emit('more', killsOnce(n))
        return []
      },
    })
    .sink('more')
    .sink('dead')
    .connect('in', 'work')
    .connect('work', 'more', { when: 'more', maxDemand: 1 })
    .connect('work', 'dead', { pathType: 'dead_letter' })
  const played = await play(() => graph)
  check(played)
  assert.ok(hasKilled)
  const dead = played.out.get('dead') as Failure[]
  assert.deepEqual(
    dead.map(({ input }) => input),
    [3],
  )
})

test('a source that waits for room on its lanes takes all that its ack lanes hold, however much a batch owes', async () => {
  // Each record has a slot of its own, so a hand-off behind the batch owes hundreds of entries: more than a source takes at once.
  let next = 0
  const graph = dataflow('owed', import.meta.url)
    .source('in', { chunk: 2, poll: () => (next < 12_000 ? [next++] : null) })
    .transform('work', {
      batch: { size: 3_000, timeoutMs: 1_000 },
      mapBatch: (batch: readonly number[]) => batch.slice(0, 50),
    })
    .sink('out')
    .connect('in', 'work', { laneBytes: 16_384 })
    .connect('work', 'out', { maxDemand: 1 })
  const played = await play(() => graph)
  check(played)
  assert.ok(played.out.get('out')!.length >= 200)
})

describe('the last records of a source, which it makes when the pipeline drains', () => {
  const ways = {
    'in an array': (records: number[]) => records,
    'in a promise': (records: number[], later: Later) => later(() => records),
    'one by one': async function* (records: number[], later: Later) {
      for (const record of records) yield await later(() => record)
    },
  }
  const last = numbers(40).map((n) => 1_000_000 + n)
  for (const [how, give] of Object.entries(ways)) {
    test(`come ${how}, once each, behind all others, whoever dies`, async () => {
      const played = await play(
        (later) =>
          start('last', 1_000_000, { chunk: 3, finish: () => give(last, later) })
            .sink('out')
            .connect('in', 'out'),
        { drainAfter: 20, deathShare: 0.5, maxDeaths: 100 },
      )
      check(played)
      const out = played.out.get('out') as number[]
      assert.deepEqual(out, [...numbers(out.length - last.length), ...last])
    })
  }

  test('are not made where the records have come to their end', async () => {
    const played = await play(() =>
      start('end', 5, { finish: () => last })
        .sink('out')
        .connect('in', 'out'),
    )
    assert.deepEqual(played.out.get('out'), numbers(5))
  })
})

describe('a handler that makes one record for each of a batch', () => {
  const graphs: Record<string, object> = {
    'on its lanes': { batch: { size: 7, timeoutMs: 1 } },
    'by key': { batch: { size: 7, timeoutMs: 1, by: (n: number) => n % 3 } },
    'of several calls at once': { batch: { size: 7, timeoutMs: 1 }, maxInFlight: 4 },
  }
  for (const [how, options] of Object.entries(graphs)) {
    test(`${how} has each fail by itself, here and below, whoever dies`, async () => {
      const told = new Map<number, string>()
      const tell = (receipts: readonly unknown[], what: string): unknown =>
        receipts.forEach((receipt) => told.set(receipt as number, what))
      const graph = (later: Later): GraphData =>
        dataflow('each', import.meta.url)
          .source('in', {
            chunk: 5,
            produce: () => numbers(300).map((n) => mark(n, { receipt: n })),
            ack: (good, bad) => void [tell(good, 'acked'), tell(bad, 'failed')],
          })
          .transform('work', {
            ...options,
            mapEach: (batch: number[], { failAt }: Context) => {
              batch.forEach((n, i) => n % 50 === 1 && failAt(i, new Error('here')))
              return later(() => batch.map((n) => ({ n })))
            },
          })
          .transform('next', {
            map: ({ n }: { n: number }, { fail }: Context) =>
              (n % 50 === 2 ? fail(n, new Error('below')) : n) as number,
          })
          .sink('out')
          .connect('in', 'work')
          .connect('work', 'next')
          .connect('next', 'out')
      const played = await play(graph, { deathShare: 0.1, maxDeaths: 60, run: { laneBytes: 1_024 } })
      check(played)
      const good = numbers(300).filter((n) => n % 50 !== 1 && n % 50 !== 2)
      assert.deepEqual(sorted(played.out.get('out')), good)
      // The records of a chunk share its slot.
      const bad = new Set(
        numbers(300)
          .filter((n) => !good.includes(n))
          .map((n) => Math.trunc(n / 5)),
      )
      for (const [n, what] of told) if (!bad.has(Math.trunc(n / 5))) assert.equal(what, 'acked', String(n))
      assert.equal(told.size, 300)
    })
  }
})

describe('a source over a queue, which gives each record once', () => {
  for (const [how, isLater] of [
    ['at once', false],
    ['later', true],
  ] as const) {
    test(`${how}, has no record acked that did not come everywhere, though its worker dies in the middle of sending`, async () => {
      const told = new Map<number, string>()
      const tell = (receipts: readonly unknown[], what: string): unknown =>
        receipts.forEach((receipt) => told.set(receipt as number, what))
      let next = 0
      const poll = (): unknown[] | null => {
        const first = next
        next = Math.min(1_000, first + 1 + (first % 4))
        const records = numbers(next - first).map((n) => mark(first + n, { receipt: first + n }))
        return records.length > 0 ? records : null
      }
      const graph = (later: Later): GraphData =>
        dataflow('queue', import.meta.url)
          .source('in', {
            chunk: 4,
            poll: isLater ? () => later(poll) : poll,
            ack: (good, bad) => void [tell(good, 'acked'), tell(bad, 'failed')],
          })
          .sink('wide')
          .sink('narrow')
          .connect('in', 'wide')
          .connect('in', 'narrow', { maxDemand: 1 })
      const played = await play(graph, { deathShare: 0.2, maxDeaths: 100 })
      check(played)
      const [wide, narrow] = ['wide', 'narrow'].map((sink) => new Set(played.out.get(sink)))
      for (const sink of ['wide', 'narrow'])
        assert.equal(new Set(played.out.get(sink)).size, played.out.get(sink)!.length)
      for (const [n, what] of told) if (what === 'acked') assert.ok(wide!.has(n) && narrow!.has(n), `${n}`)
      const failed = [...told].filter(([, what]) => what === 'failed')
      assert.ok(failed.length > 0, 'some worker died in the middle of sending')
      assert.ok(told.size > 500)
    })
  }
})

test('a source that makes fewer records the second time has those that it does not make again fail, and ends', async () => {
  for (const seed of numbers(10)) {
    let lives = 0
    const graph = dataflow('fewer', import.meta.url)
      .source('in', { chunk: 8, produce: () => numbers(lives++ === 0 ? 300 : 3) })
      .sink('wide')
      .sink('narrow')
      .connect('in', 'wide')
      .connect('in', 'narrow', { maxDemand: 1 })
    const played = await play(() => graph, { seed, deathShare: 0.2, maxDeaths: 20 })
    check(played)
    for (const sink of ['wide', 'narrow']) {
      const out = played.out.get(sink)!
      assert.equal(new Set(out).size, out.length, 'none comes twice')
    }
    assert.ok(lives > 1)
  }
})

/** Fifty records, and then nothing more, without an end. */
const once = (): object => {
  const given = new WeakSet<object>()
  const poll = (_: number, context: object): number[] => {
    if (given.has(context) || (context as { emitted: number }).emitted > 0) return []
    given.add(context)
    return numbers(50)
  }
  return { poll, pollMs: 10, window: 100 }
}

describe('a flush', () => {
  const hour = { size: 1_000, timeoutMs: 3_600_000 }
  const stages: Record<string, object> = {
    'a batch': { batch: hour },
    'batches by key': { batch: { ...hour, by: (n: number) => n % 7 } },
    'batches of several calls': { batch: hour, maxInFlight: 3 },
    'batches by weight': { batch: { ...hour, weigh: () => 1, weight: 1_000 } },
  }
  for (const [what, options] of Object.entries(stages)) {
    for (const deathShare of [0, 0.2]) {
      test(`completes ${what} in one stage behind another, and goes on${deathShare > 0 ? ', whoever dies' : ''}`, async () => {
        let wroteAt = Infinity
        const graph = dataflow('flushed', import.meta.url)
          .source('in', once() as never)
          .transform('first', { ...options, mapBatch: same })
          .transform('second', { ...options, concurrency: 2, mapEach: same })
          .sink('end', { write: () => void (wroteAt = performance.now()) })
          .sink('out')
          .connect('in', 'first')
          .connect('first', 'second')
          .connect('second', 'end')
          .connect('end', 'out')
        const flushAt = numbers(40).map((n) => 400 + 200 * n)
        const played = await play(() => graph, { deathShare, maxDeaths: 30, flushAt, drainAfter: 9_000 })
        check(played)
        assert.deepEqual(sorted(played.out.get('out')), numbers(50))
        assert.ok(played.pipeline.flushes > 3, `${played.pipeline.flushes}`)
        assert.ok(wroteAt < 600_000, `${wroteAt} ms`)
      })
    }
  }
})

const withBreaker = (work: object): GraphData =>
  dataflow('breaker', import.meta.url)
    .source('in', { window: 64, produce: () => numbers(80) })
    .transform('work', {
      maxCrashes: 100,
      breaker: { failures: 4, pauseMs: 1_000, maxPauseMs: 8_000 },
      retry: { maxAttempts: 60, baseMs: 1, maxMs: 2 },
      ...(work as { map: (n: number) => number }),
    })
    .sink('out')
    .connect('in', 'work')
    .connect('work', 'out')

describe('a stage with a breaker', () => {
  type Work = (act: (n: number) => number) => object
  const kinds: Record<string, Work> = {
    'of single records': (map) => ({ map }),
    'of open calls': (act) => ({ maxInFlight: 4, map: async (n: number) => act(n) }),
    'of batches': (act) => ({
      batch: { size: 4, timeoutMs: 5 },
      mapBatch: (batch: readonly number[]) => batch.map((n) => act(n)),
    }),
    'of batches by key': (act) => ({
      batch: { size: 4, timeoutMs: 5, by: (n: number) => n % 3 },
      mapBatch: (batch: readonly number[]) => batch.map((n) => act(n)),
    }),
  }
  for (const [what, kind] of Object.entries(kinds)) {
    test(`${what} calls a server that is away now and then only, and goes on when it is back`, async () => {
      let start: number | undefined
      let calls = 0
      const act = (n: number): number => {
        start ??= performance.now()
        if (performance.now() - start > 20_000) return n
        calls++
        throw new Error('away')
      }
      const played = await play(() => withBreaker(kind(act)))
      check(played)
      assert.deepEqual(sorted(played.out.get('out')), numbers(80))
      // 4 at first, and those that were open then; then after 1, 3, 7, 15 and 23 s.
      assert.ok(calls >= 8 && calls <= 14, `${calls} calls`)
      assert.ok(played.tookMs >= 20_000 && played.tookMs < 40_000, `${played.tookMs} ms`)
    })

    test(`${what} loses no record, whoever dies`, async () => {
      for (const seed of [1, 2, 3]) {
        let calls = 0
        const act = (n: number): number => {
          if (++calls % 50 < 25) throw new Error('away')
          return n
        }
        const played = await play(() => withBreaker(kind(act)), { seed, deathShare: 0.1, maxDeaths: 30 })
        check(played)
        assert.deepEqual(sorted(played.out.get('out')), numbers(80))
      }
    })
  }
})
