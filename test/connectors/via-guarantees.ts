/** What a buffer with an address promises, whatever its broker: each test runs against the real one. */
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { MillraceError, type Pipeline, run, type RunOptions, type Technology } from 'millrace'
import { range, until } from './bench.js'
import { type BrokerUnderTest, BROKERS } from './brokers.js'
import { type PartsParams, threeParts, twoParts } from './modules/parts.js'
import { Proxy } from './proxy.js'
import { linesOf, numbersOf } from './work.js'

class Hop {
  readonly t: TestContext
  readonly broker: BrokerUnderTest
  readonly folder: string
  readonly name: string

  constructor(t: TestContext, broker: BrokerUnderTest, name: string) {
    this.t = t
    this.broker = broker
    this.name = name
    this.folder = mkdtempSync(join(tmpdir(), 'millrace-via-'))
    t.after(() => rmSync(this.folder, { recursive: true, force: true }))
  }

  params(more: { port?: number; isOther?: boolean; capacity?: number; via?: object } = {}): PartsParams {
    const { port, via, ...rest } = more
    const one = { ...this.broker.via(`${this.name}_one`, port), ...via }
    return { one, two: this.broker.via(`${this.name}_two`, port), folder: this.folder, ...rest }
  }

  async run(maker: typeof twoParts, params: PartsParams, options: Omit<RunOptions, 'params'> = {}): Promise<Pipeline> {
    const pipeline = await run(maker as never, { params, ...options })
    this.t.after(() => pipeline.stop().catch(() => undefined))
    return pipeline
  }

  /** One part in a process of its own, until it is killed. */
  async fork(params: PartsParams, part: string): Promise<ChildProcess> {
    const file = fileURLToPath(new URL('./child.js', import.meta.url))
    const module = new URL('./modules/parts.js', import.meta.url).href
    const child = fork(file, [module, 'threeParts', JSON.stringify(params), part])
    this.t.after(() => child.kill('SIGKILL'))
    await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code, signal]) => signal ?? assert.fail(`part ${part} ended with ${String(code)}`)),
    ])
    return child
  }

  say(file: string, text = ''): void {
    writeFileSync(join(this.folder, file), text)
  }

  /** Ends what is made: all of it up to there is kept, and none twice where that is promised. */
  async booksAreRight(): Promise<void> {
    const last = Math.max(...this.kept().numbers) + 100
    this.say('enough', String(last))
    const left = async (): Promise<number> =>
      (await this.broker.left(`${this.name}_one`)) + (await this.broker.left(`${this.name}_two`))
    const missing = (): number => {
      const { numbers } = this.kept()
      return last + 1 - numbers.filter((n) => n <= last).length
    }
    await until(async () => missing() === 0 && (await left()) === 0, `none is lost up to ${last}`)
    const { numbers, lines, broken } = this.kept()
    assert.equal(broken, 0, 'values arrive as they were sent')
    if (this.broker.isExactlyOnce) assert.equal(lines, numbers.length, 'none is kept twice')
  }

  /** How long the file is: asked often while it grows, which it is too long to be read for. */
  keptBytes(): number {
    return statSync(join(this.folder, 'kept'), { throwIfNoEntry: false })?.size ?? 0
  }

  /** Numbers in the file, each once, and whether any is there twice or not as it was sent. */
  kept(): { readonly numbers: readonly number[]; readonly lines: number; readonly broken: number } {
    const lines = linesOf(this.folder, 'kept').map((line) => line.split(' '))
    const numbers = [...new Set(lines.map(([n]) => Number(n)))].sort((a, b) => a - b)
    return { numbers, lines: lines.length, broken: lines.filter(([, , isWhole]) => isWhole !== 'true').length }
  }
}

/**
 * @param kills of processes, at random instants
 * @param extent all tests, or the kills alone
 */
export function viaGuarantees(technology: Technology, kills: number, extent: 'all' | 'kills' = 'all'): void {
  let broker: BrokerUnderTest | string
  before(async () => void (broker = await BROKERS[technology]()))
  after(async () => void (typeof broker === 'string' || (await broker.close())))
  let made = 0
  const add = (what: string, act: (given: Hop) => Promise<void>): void => {
    test(`via ${technology}: ${what}`, async (t) => {
      if (typeof broker === 'string') return t.skip(broker)
      await act(new Hop(t, broker, `q${made++}`))
    })
  }
  const seed = Number(process.env['VIA_SEED'] ?? Date.now() % 1_000_000)
  if (kills > 0)
    add(`a part is killed ${kills} times while its twin works on (seed ${seed})`, (given) => deaths(given, kills, seed))
  if (extent === 'kills') return

  add('all parts in one process go through the broker, and values arrive as they were sent', async (given) => {
    given.say('enough', '99')
    const pipeline = await given.run(threeParts, given.params())
    await until(() => given.kept().numbers.length === 100, 'all are kept')
    assert.deepEqual(given.kept(), { numbers: range(0, 100), lines: 100, broken: 0 })
    const { nodes } = pipeline.snapshot()
    assert.deepEqual(
      ['one.write', 'one.read', 'two.write', 'two.read'].map((node) => nodes[node]!.in),
      [100, 100, 100, 100],
    )
    await until(async () => (await given.broker.left(`${given.name}_two`)) === 0, 'all are acked')
  })

  add('parts in several pipelines; a push is done when the broker has it', async (given) => {
    const params = given.params()
    const above = await given.run(twoParts, params, { part: 'in' })
    for (const n of range(0, 20)) await (await above.push('in', n)).done
    assert.equal(await given.broker.left(`${given.name}_one`), 20)
    const below = await given.run(twoParts, params, { part: 'take' })
    await until(() => numbersOf(given.folder, 'out').length === 20, 'all are out')
    await below.drain()
    assert.equal(await given.broker.left(`${given.name}_one`), 0)
  })

  add('a message that no part has sent takes the dead-letter edge; the others go on', async (given) => {
    const pipeline = await given.run(twoParts, given.params())
    await (
      await pipeline.push('in', 1)
    ).done
    await given.broker.foreign(`${given.name}_one`)
    await (
      await pipeline.push('in', 2)
    ).done
    await until(() => linesOf(given.folder, 'out').length === 2 && linesOf(given.folder, 'dead').length === 1, 'both')
    await until(async () => (await given.broker.left(`${given.name}_one`)) === 0, 'it is settled')
  })

  add('messages of another version are refused where that is wanted, and taken where it is not', async (given) => {
    const params = given.params()
    const above = await given.run(twoParts, params, { part: 'in' })
    const other = { ...given.params({ isOther: true, via: { whenGraphDiffers: 'refuse' } }) }
    const refusing = await given.run(twoParts, other, { part: 'take' })
    await (
      await above.push('in', 1)
    ).done
    await until(() => linesOf(given.folder, 'dead').length === 1, 'it is refused')
    assert.match(linesOf(given.folder, 'dead')[0]!, /another version/)
    await refusing.drain()
    const accepting = { ...other, one: { ...other.one, whenGraphDiffers: 'accept' } }
    await given.run(twoParts, accepting, { part: 'take' })
    await (
      await above.push('in', 2)
    ).done
    await until(() => numbersOf(given.folder, 'out').length === 1, 'it is taken')
  })

  add('a full queue holds back who writes, and loses nothing', async (given) => {
    const params = given.params({ capacity: 20, via: { window: 10 } })
    given.say('gate')
    const pipeline = await given.run(twoParts, params)
    const push = async (n: number): Promise<unknown> => (await pipeline.push('in', n)).done
    const first = range(0, 60).map(push)
    await until(async () => (await given.broker.left(`${given.name}_one`)) >= 20, 'it is full')
    // A broker may notice a little late that it is: what comes afterwards waits.
    const rest = Promise.all(range(60, 100).map(push))
    assert.equal(await Promise.race([rest, sleep(300, 'waits')]), 'waits')
    rmSync(join(given.folder, 'gate'))
    await Promise.all([...first, rest])
    await until(() => linesOf(given.folder, 'out').length >= 100, 'all are out')
    assert.equal(numbersOf(given.folder, 'out').length, 100)
  })

  add('a broker that is away at the start is said; one that goes away in the middle is waited for', async (given) => {
    await assert.rejects(
      given.run(twoParts, given.params({ port: 1, via: { connectMs: 500 } })),
      (error) => error instanceof MillraceError && (error.cause as MillraceError).code === 'CONNECTOR_UNREACHABLE',
    )
    await using proxy = await Proxy.to(given.broker.port)
    const pipeline = await given.run(threeParts, given.params({ port: proxy.port }))
    await until(() => given.kept().lines > 50, 'records flow')
    proxy.close()
    const before = given.kept().lines
    await until(() => pipeline.degraded.length > 0, 'it is degraded')
    proxy.open()
    await until(() => given.kept().lines > before + 100, 'they flow again')
    await given.booksAreRight()
    // While more is made than is kept, a full queue is waited for, and said too.
    await until(() => pipeline.degraded.length === 0, 'it is degraded no more')
    await pipeline.drain()
  })

  add('a queue that is deleted under both ends is made again', async (given) => {
    const pipeline = await given.run(twoParts, given.params())
    await (
      await pipeline.push('in', 1)
    ).done
    await until(() => linesOf(given.folder, 'out').length === 1, 'records flow')
    await until(async () => (await given.broker.left(`${given.name}_one`)) === 0, 'it is acked')
    await given.broker.remove(`${given.name}_one`)
    await (
      await pipeline.push('in', 2)
    ).done
    await until(() => numbersOf(given.folder, 'out').length === 2, 'they flow again')
  })

  add('a trace goes on in the next part', async (given) => {
    const params = given.params()
    const traced = { trace: { rate: 1 } }
    const above = await given.run(twoParts, params, { part: 'in', ...traced })
    await given.run(twoParts, params, { part: 'take', ...traced })
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    await (
      await above.push('in', 7, { traceparent })
    ).done
    await until(() => linesOf(given.folder, 'out').length === 1, 'it is out')
    assert.equal(linesOf(given.folder, 'out')[0], '7 0af7651916cd43dd8448eb211c80319c')
  })
}

/** The middle part runs twice; it or the first one is killed again and again. The books must be right. */
async function deaths(given: Hop, kills: number, seed: number): Promise<void> {
  const random = randomOf(seed)
  const params = given.params()
  await given.run(threeParts, params, { part: 'keep' })
  const parts = ['make', 'work', 'work']
  const children = await Promise.all(parts.map((part) => given.fork(params, part)))
  for (let kill = 0; kill < kills; kill++) {
    const before = given.keptBytes()
    await until(() => given.keptBytes() > before, `records flow before kill ${kill}`)
    await sleep(random() * 200)
    const at = Math.floor(random() * parts.length)
    const child = children[at]!
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    children[at] = await given.fork(params, parts[at]!)
  }
  await given.booksAreRight()
  const { numbers, lines } = given.kept()
  given.t.diagnostic(`${numbers.length} records, ${lines} kept, ${kills} kills`)
}

/** Mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
