/** What `ack` is told, whoever dies: of each record, and why it failed. Run under the condition `net`, by `net.test.ts`. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type AckContext, type AckReason, dataflow, mark } from 'millrace'
import type { Context, Failure, GraphData } from 'millrace/graph'
import { fuse } from '#src/test-kit/fuse.js'
import { type Later, type Played, play } from './play.ts'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
const isBad = (n: number): boolean => n % 5 === 0
const marked = (count: number) => numbers(count).map((n) => mark(n, { receipt: n }))
const DEADLY = { deathShare: 0.3, maxDeaths: 100 }

function check({ faults, pipeline }: Played): void {
  assert.deepEqual(faults, [])
  pipeline.check()
  assert.deepEqual(faults, [])
}

/** How often each receipt was told, and with which reasons it failed. */
class Told {
  readonly successes = new Map<number, number>()
  readonly failures = new Map<number, AckReason[]>()

  readonly ack = (successes: readonly unknown[], failures: readonly unknown[], { reasons }: AckContext): void => {
    fuse.visit()
    for (const n of successes as number[]) this.successes.set(n, (this.successes.get(n) ?? 0) + 1)
    for (const [i, n] of (failures as number[]).entries())
      this.failures.set(n, [...(this.failures.get(n) ?? []), reasons[i]!])
    fuse.visit()
  }

  /** Each of so many records was told, as what it is; once, where nobody died. */
  check(count: number, deaths: number): void {
    for (const n of numbers(count)) {
      const [well, ill] = [this.successes.get(n) ?? 0, this.failures.get(n)?.length ?? 0]
      assert.equal(isBad(n) ? well : ill, 0, `${n} was told as what it is not`)
      assert.ok(well + ill >= 1, `${n} was not told`)
      if (deaths === 0) assert.equal(well + ill, 1, `${n} was told more than once`)
    }
  }
}

const source = (ack: Told['ack'], options: object = {}) =>
  dataflow('reasons', import.meta.url).source('in', { window: 64, produce: () => marked(120), ack, ...options })

const saidGraph = (work: object, ack: (...given: [unknown[], unknown[], AckContext]) => unknown): GraphData =>
  dataflow('said', import.meta.url)
    .source('in', { window: 64, produce: () => marked(120), ack: ack as never })
    .transform('first', { concurrency: 2, map: (n: number) => n })
    .transform('work', { concurrency: 2, maxCrashes: 100, ...(work as { map: (n: number) => number }) })
    .transform('last', { map: (n: number) => n })
    .sink('out')
    .connect('in', 'first')
    .connect('first', 'work')
    .connect('work', 'last')
    .connect('last', 'out')

const releasesEven = (n: number, { release }: Pick<Context, 'release'>): number => {
  if (n % 2 === 0) release()
  return n
}

const fails = (n: number): number => {
  if (isBad(n)) throw new RangeError(`no ${n}`)
  return n
}

describe('why a record failed', () => {
  const stages: Record<string, (graph: ReturnType<typeof source>) => GraphData> = {
    'of one call': (graph) =>
      graph
        .transform('work', { concurrency: 2, retry: { maxAttempts: 2, baseMs: 1 }, maxCrashes: 100, map: fails })
        .sink('out')
        .connect('in', 'work')
        .connect('work', 'out'),
    'of an open call': (graph) =>
      graph
        .transform('work', { maxCrashes: 100, maxInFlight: 4, map: async (n: number) => fails(n) })
        .sink('out')
        .connect('in', 'work')
        .connect('work', 'out'),
    'of a record of a batch': (graph) =>
      graph
        .transform('work', {
          maxCrashes: 100,
          batch: { size: 8, timeoutMs: 5 },
          mapEach: (batch: readonly number[], context) => {
            batch.forEach((n, i) => isBad(n) && context.failAt(i, new RangeError(`no ${n}`)))
            return [...batch]
          },
        })
        .sink('out')
        .connect('in', 'work')
        .connect('work', 'out'),
    'behind other stages': (graph) =>
      graph
        .transform('first', { concurrency: 2, map: (n: number) => n })
        .transform('work', { concurrency: 2, maxCrashes: 100, map: fails })
        .sink('out')
        .connect('in', 'first')
        .connect('first', 'work')
        .connect('work', 'out'),
  }
  for (const [what, graph] of Object.entries(stages)) {
    test(`${what} is told with its receipt`, async () => {
      for (const seed of [1, 2, 3, 4]) {
        const told = new Told()
        const played = await play(() => graph(source(told.ack)), { seed, ...(seed === 1 ? {} : DEADLY) })
        check(played)
        told.check(120, played.pipeline.deaths)
        for (const [n, reasons] of told.failures) {
          for (const { node, name, message, attempts, outcome } of reasons) {
            assert.deepEqual([node, name, message, outcome], ['work', 'RangeError', `no ${n}`, 'failed'])
            assert.ok(attempts! >= 1)
          }
        }
      }
    })
  }

  test('is left out where there is no room for it, and nothing waits', async () => {
    for (const seed of [1, 2, 3, 4]) {
      const told = new Told()
      const long = (n: number): number => {
        if (isBad(n)) throw new Error(`no ${n}${'x'.repeat(400)}`)
        return n
      }
      const graph = source(told.ack, { reasonBytes: 1_024 })
        .transform('work', { maxCrashes: 100, map: long })
        .sink('out')
        .connect('in', 'work')
        .connect('work', 'out')
      const played = await play(() => graph, { seed, run: { stashBytes: 4_096 }, ...(seed === 1 ? {} : DEADLY) })
      check(played)
      told.check(120, played.pipeline.deaths)
      for (const [n, reasons] of told.failures)
        for (const { message, outcome } of reasons) {
          assert.equal(outcome, 'failed')
          assert.ok(message === undefined || message.startsWith(`no ${n}x`), message)
        }
    }
  })

  test('is that of one of its chunk, where several records share one', async () => {
    const told: AckReason[] = []
    const ack = (_: unknown, failures: readonly unknown[], { reasons }: AckContext): void => {
      assert.equal(failures.length, reasons.length)
      told.push(...reasons)
    }
    const graph = source(ack, { chunk: 20 })
      .transform('work', { map: fails })
      .sink('out')
      .connect('in', 'work')
      .connect('work', 'out')
    check(await play(() => graph))
    assert.ok(told.length >= 24)
    for (const { message } of told) assert.match(message!, /^no \d*[05]$/)
  })

  test('of a source whose own edge refuses its records is told too', async () => {
    for (const seed of [1, 2, 3]) {
      const told = new Told()
      const graph = source(told.ack)
        .conditional('which', {
          route: (n: number) => (isBad(n) ? assert.fail(`no ${n}`) : 'all'),
        })
        .sink('out')
        .connect('in', 'which')
        .connect('which', 'out', { when: 'all' })
      const played = await play(() => graph, { seed, ...(seed === 1 ? {} : DEADLY) })
      check(played)
      told.check(120, played.pipeline.deaths)
      for (const [n, reasons] of told.failures)
        for (const { node, message } of reasons) assert.deepEqual([node, message], ['which', `no ${n}`])
    }
  })
})

describe('an edge with `nack`', () => {
  for (const pathType of ['error', 'dead_letter'] as const) {
    test(`gets the record (${pathType}), and its source learns that it failed`, async () => {
      for (const seed of [1, 2, 3, 4]) {
        const told = new Told()
        const graph = dataflow('nacked', import.meta.url)
          .source('in', { window: 64, produce: () => marked(120), ack: told.ack })
          .transform('work', { concurrency: 2, maxCrashes: 100, map: fails })
          .transform('inputs', { map: ({ input }: Failure<number>) => input })
          .sink('out')
          .sink('dead')
          .connect('in', 'work')
          .connect('work', 'out')
          .connect('work', 'inputs', { pathType, nack: true })
          .connect('inputs', 'dead')
        const played = await play(() => graph, { seed, ...(seed === 1 ? {} : DEADLY) })
        check(played)
        told.check(120, played.pipeline.deaths)
        assert.deepEqual(sorted(played.out.get('dead')), numbers(120).filter(isBad))
        assert.deepEqual(
          sorted(played.out.get('out')),
          numbers(120).filter((n) => !isBad(n)),
        )
        for (const [n, reasons] of told.failures)
          for (const { node, message } of reasons) assert.deepEqual([node, message], ['work', `no ${n}`])
      }
    })
  }
})

describe('what a handler says of a record to its source', () => {
  type Works = (n: number, context: Pick<Context, 'note' | 'release'>) => number
  const kinds: Record<string, (works: Works) => object> = {
    'of one call': (map) => ({ map }),
    'of an open call': (works) => ({ maxInFlight: 4, map: async (n: number, context: Context) => works(n, context) }),
    'with several attempts': (map) => ({ retry: { maxAttempts: 3, baseMs: 1 }, map }),
  }
  for (const [what, kind] of Object.entries(kinds)) {
    test(`${what} is noted with it, whether it failed or not`, async () => {
      for (const seed of [1, 2, 3, 4]) {
        const notes = new Map<number, unknown>()
        const works: Works = (n, { note }) => {
          if (n % 3 === 0) note({ of: n, is: 'x'.repeat(n) })
          return fails(n)
        }
        const graph = saidGraph(kind(works), (done, failed, context) => {
          for (const [i, n] of (done as number[]).entries()) notes.set(n, context.notes[i])
          for (const [i, n] of (failed as number[]).entries()) notes.set(n, context.reasons[i]!.note)
        })
        const played = await play(() => graph, { seed, ...(seed === 1 ? {} : DEADLY) })
        check(played)
        for (const n of numbers(120))
          assert.deepEqual(notes.get(n), n % 3 === 0 ? { of: n, is: 'x'.repeat(n) } : undefined, `${n}`)
      }
    })

    test(`${what} releases it: its source is told that it is done, whatever becomes of it`, async () => {
      for (const seed of [1, 2, 3, 4]) {
        const told = new Told()
        const graph = dataflow('released', import.meta.url)
          .source('in', { window: 64, produce: () => marked(120), ack: told.ack })
          .transform('work', {
            concurrency: 2,
            maxCrashes: 100,
            ...(kind(releasesEven) as { map: (n: number) => number }),
          })
          .transform('last', {
            concurrency: 2,
            maxCrashes: 100,
            map: (n: number) => (n % 4 < 2 ? n : assert.fail(`no ${n}`)),
          })
          .sink('out')
          .connect('in', 'work')
          .connect('work', 'last')
          .connect('last', 'out')
        const played = await play(() => graph, { seed, flushShare: 0.01, ...(seed === 1 ? {} : DEADLY) })
        check(played)
        for (const n of numbers(120)) {
          // 2 is released and fails later; 3 is not released, and fails.
          const [well, ill] = [told.successes.get(n) ?? 0, told.failures.get(n)?.length ?? 0]
          assert.ok(n % 4 === 3 ? well === 0 && ill >= 1 : well >= 1 && ill === 0, `${n}: ${well} ${ill}`)
          if (played.pipeline.deaths === 0) assert.equal(well + ill, 1)
        }
      }
    })
  }

  test('of a batch: a note is of all its records, and one of them is released by itself', async () => {
    for (const seed of [1, 2, 3]) {
      const notes = new Map<number, unknown>()
      const told = new Told()
      const graph = dataflow('batch', import.meta.url)
        .source('in', {
          window: 64,
          produce: () => marked(60),
          ack: (done, failed, context) => {
            told.ack(done, failed, context)
            for (const [i, n] of (done as number[]).entries()) notes.set(n, context.notes[i])
          },
        })
        .transform('work', {
          maxCrashes: 100,
          batch: { size: 6, timeoutMs: 5 },
          mapEach: (batch: readonly number[], { note, release }) => {
            note(batch.length)
            for (const n of batch) if (isBad(n)) release(n)
            return [...batch]
          },
        })
        .sink('out', { maxCrashes: 100, write: (n: number) => void fails(n) })
        .connect('in', 'work')
        .connect('work', 'out')
      const played = await play(() => graph, { seed, ...(seed === 1 ? {} : DEADLY) })
      check(played)
      for (const n of numbers(60)) {
        assert.ok((told.successes.get(n) ?? 0) >= 1 && !told.failures.has(n), `${n}`)
        assert.ok(Number(notes.get(n)) >= 1, `${n}: ${String(notes.get(n))}`)
      }
    }
  })
})

describe('a stage that is detached', () => {
  const stages: Record<string, object> = {
    'of single records': { map: (n: number) => n },
    'of open calls': { maxInFlight: 4, map: async (n: number) => n },
    'of batches': { batch: { size: 4, timeoutMs: 5 }, mapEach: (batch: readonly number[]) => [...batch] },
    'of batches by key': {
      batch: { size: 4, timeoutMs: 5, by: (n: number) => n % 3 },
      mapBatch: (batch: readonly number[]) => [...batch],
    },
  }
  for (const [what, work] of Object.entries(stages)) {
    test(`${what} fails what comes to it, whoever dies; each record is done or has failed, and its source knows`, async () => {
      let refused = 0
      for (const seed of [1, 2, 3, 4, 5]) {
        const told = new Map<number, AckReason | 'done'>()
        const graph = dataflow('detached', import.meta.url)
          .source('in', {
            window: 16,
            produce: () => marked(300),
            ack: (done, failed, { reasons }) => {
              for (const n of done as number[]) told.set(n, 'done')
              for (const [i, n] of (failed as number[]).entries()) told.set(n, reasons[i]!)
            },
          })
          .transform('work', { concurrency: 2, maxCrashes: 100, ...(work as { map: (n: number) => number }) })
          .sink('out')
          .connect('in', 'work')
          .connect('work', 'out')
        const detached = { node: 'work', from: 200, to: 600 }
        const played = await play(() => graph, { seed, detached, deathShare: 0.2, maxDeaths: 1_000 })
        check(played)
        const failed = numbers(300).filter((n) => told.get(n) !== 'done')
        for (const n of failed) {
          const reason = told.get(n) as AckReason
          assert.deepEqual([reason?.outcome, reason?.node, reason?.code], ['failed', 'work', 'STAGE_DETACHED'], `${n}`)
        }
        const done = numbers(300).filter((n) => told.get(n) === 'done')
        const out = sorted(played.out.get('out'))
        assert.deepEqual(
          out.filter((n) => done.includes(n)),
          done,
        )
        assert.equal(new Set(out).size, out.length)
        refused += failed.length
      }
      assert.ok(refused > 0)
    })
  }
})

describe('`ackBy`', () => {
  const GROUPS = 5
  const groupOf = (receipt: unknown): number => (receipt as number) % GROUPS
  const graphOf = (ack: (done: readonly unknown[], failed: readonly unknown[]) => unknown, options: object = {}) =>
    dataflow('groups', import.meta.url)
      .source('in', { window: 64, produce: () => marked(200), ackBy: groupOf, ack: ack as never, ...options })
      .transform('work', { concurrency: 2, maxCrashes: 100, map: fails })
      .sink('out')
      .connect('in', 'work')
      .connect('work', 'out')

  test('calls `ack` for each group apart, one call at a time, and no more at once than `ackInFlight`', async () => {
    const told: number[] = []
    const open = new Set<number>()
    let most = 0
    const graph =
      (later: Later) =>
      (ackInFlight: number): GraphData =>
        graphOf(
          async (done, failed) => {
            const receipts = [...done, ...failed] as number[]
            const groups = new Set(receipts.map(groupOf))
            const [group] = groups
            assert.equal(groups.size, 1)
            assert.ok(!open.has(group!), 'one open call for each group')
            open.add(group!)
            most = Math.max(most, open.size)
            await later(() => undefined)
            told.push(...receipts)
            open.delete(group!)
          },
          { ackInFlight },
        )
    for (const ackInFlight of [1, 3]) {
      told.length = most = 0
      check(await play((later) => graph(later)(ackInFlight)))
      assert.deepEqual(sorted(told), numbers(200))
      assert.ok(most >= 1 && most <= ackInFlight, `${most}`)
    }
  })

  test('a group whose call fails is told again by itself, and the others go on', async () => {
    let calls = 0
    const told = new Map<number, number>()
    const graph = graphOf(
      (done, failed) => {
        const receipts = [...done, ...failed] as number[]
        if (groupOf(receipts[0]) === 3 && ++calls <= 4) throw new Error('not yet')
        for (const receipt of receipts) told.set(receipt, (told.get(receipt) ?? 0) + 1)
        if (calls < 4 && told.size > 100) assert.ok([...told.keys()].every((n) => groupOf(n) !== 3))
      },
      { ackRetry: { maxAttempts: 10, baseMs: 10_000, maxMs: 60_000 }, window: 1_000 },
    )
    check(await play(() => graph))
    assert.deepEqual(sorted([...told.keys()]), numbers(200))
    assert.ok([...told.values()].every((times) => times === 1))
  })

  test('every record is told, whoever dies and whichever calls fail', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const told = new Told()
      let calls = 0
      const graph = (later: Later): GraphData =>
        graphOf(
          async (done, failed) => {
            calls++
            if (calls % 3 === 0) throw new Error('not yet')
            if (calls % 3 === 1) await later(() => undefined)
            told.ack(done, failed, { reasons: failed.map(() => ({ outcome: 'failed' })) } as unknown as AckContext)
          },
          { ackInFlight: 3, ackRetry: { maxAttempts: 50, baseMs: 1, maxMs: 5 }, chunk: seed % 2 === 0 ? 1 : 7 },
        )
      const played = await play(graph, { seed, ...DEADLY })
      check(played)
      for (const n of numbers(200)) {
        const times = (told.successes.get(n) ?? 0) + (told.failures.get(n)?.length ?? 0)
        assert.ok(times >= 1, `${n} was not told`)
      }
    }
  })

  test('a receipt without a key is reported, and holds up no other', async () => {
    const told: number[] = []
    const graph = graphOf((done, failed) => void told.push(...([...done, ...failed] as number[])), {
      ackBy: (n: unknown) => (n === 7 ? Number.NaN : groupOf(n)),
    })
    check(await play(() => graph))
    assert.deepEqual(
      sorted(told),
      numbers(200).filter((n) => n !== 7),
    )
  })
})

function sorted(records: readonly unknown[] = []): number[] {
  return [...(records as number[])].sort((a, b) => a - b)
}
