/** What every source and every sink promises, whatever its server: each test runs against the real one. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pipeline } from 'millrace'
import { Bench, type Case, items, range, type Suite, until } from './bench.js'
import { type Item, linesOf, numbersOf } from './work.js'

const MINUTE_MS = 60_000

/** Away, wrong credentials, nothing there: at the start, and with a code. */
function startGuarantees(bench: Bench): void {
  bench.network.test('a server that is away at the start is CONNECTOR_UNREACHABLE', async (given) => {
    const { code, message } = await given.refusal(given.params({ port: 1, options: { connectMs: 2_000 } }))
    assert.equal(code, 'CONNECTOR_UNREACHABLE')
    assert.match(message, /127\.0\.0\.1:1\b/)
  })

  bench.network.test('wrong credentials are CONNECTOR_REFUSED, and no password is in the message', async (given) => {
    const params = given.params()
    const options = given.server.withWrongCredentials!(params.options)
    const { code, message } = await given.refusal({ ...params, options })
    assert.equal(code, 'CONNECTOR_REFUSED', message)
    assert.ok(!message.includes('wrong-secret'), message)
  })

  bench.test('what does not exist at the server is CONNECTOR_REFUSED', async (given) => {
    if (given.server.withoutQueue === undefined) return given.t.skip('it is made where it does not exist')
    const params = given.params()
    const { code, message } = await given.refusal({ ...params, options: given.server.withoutQueue(params.options) })
    assert.equal(code, 'CONNECTOR_REFUSED', message)
  })
}

/** The guarantees of a source; its graph is `workGraph`. */
export function sourceGuarantees(suite: Suite): void {
  const bench = new Bench(suite)
  startGuarantees(bench)

  bench.test('a message is acked when all that came of it has ended, and not before', async (given) => {
    await given.queue.send([...items(0, 10), ...items(10, 20, { act: 'hold' })])
    const pipeline = await given.run(given.params())
    await until(() => given.done().length === 10, 'the others are done')
    await until(async () => (await given.queue.left()) === 10, 'those that are done are acked')
    if (given.queue.unsettled !== undefined) assert.equal(await given.queue.unsettled(), 10)
    given.openGate()
    await until(async () => (await given.queue.left()) === 0, 'all are acked')
    assert.deepEqual(given.done(), range(0, 20))
    assert.equal(linesOf(given.folder, 'done').length, 20, 'each came once')
    assert.equal((await pipeline.drain()).failed, 0)
  })

  bench.test('nothing is taken that the window does not allow', async (given) => {
    await given.queue.send(items(0, 200, { act: 'hold' }))
    const window = 16
    await given.run(given.params({ options: { window } }))
    await until(() => linesOf(given.folder, 'started').length === window, 'the window is full')
    for (let look = 0; look < 10; look++) {
      await sleep(10)
      assert.equal((await given.queue.unsettled?.()) ?? window, window)
    }
    assert.equal(linesOf(given.folder, 'started').length, window)
    given.openGate()
    await until(async () => (await given.queue.left()) === 0, 'all are acked')
    assert.deepEqual(given.done(), range(0, 200))
  })

  bench.longTest('what a process had that was killed is delivered to another one', async (given) => {
    await given.queue.send([...items(0, 20), ...items(20, 40, { act: 'hold' })])
    const params = given.params({ soon: true })
    const child = await given.fork(params)
    await until(() => given.done().length === 20 && numbersOf(given.folder, 'started').length === 40, 'half is done')
    child.kill('SIGKILL')
    await once(child, 'exit')
    assert.ok((await given.queue.left()) >= 20, 'nothing was acked that was not done')
    given.openGate()
    await given.run(params)
    await until(async () => (await given.queue.left()) === 0, 'all are acked')
    assert.deepEqual(given.done(), range(0, 40))
  })

  bench.test('a worker that is replaced takes nothing again that is in the graph, and loses nothing', async (given) => {
    await given.queue.send(items(0, 30, { act: 'hold' }))
    const pipeline = await given.run(given.params({ soon: true }))
    await until(() => linesOf(given.folder, 'started').length === 30, 'all are in the graph')
    await pipeline.restartWorker('in', 0)
    await given.queue.send(items(30, 60))
    await until(() => given.done().length === 30, 'the new worker takes more')
    given.openGate()
    await until(async () => (await given.queue.left()) === 0, 'all are acked')
    assert.deepEqual(given.done(), range(0, 60))
    if (suite.isUncounted === true) return
    assert.equal(linesOf(given.folder, 'started').length, 60, 'each was taken once')
  })

  bench.network.test('connections that are reset cost nothing', async (given) => {
    await using proxy = await given.proxy()
    await given.run(given.params({ port: proxy.port, soon: true, options: { window: 64 } }))
    await given.queue.send(items(0, 100))
    await until(() => given.done().length > 0, 'something is done')
    proxy.reset()
    await given.queue.send(items(100, 200))
    await until(async () => given.done().length === 200 && (await given.queue.left()) === 0, 'all are acked')
  })

  bench.network.longTest('connections that are reset again and again cost nothing', async (given) => {
    await using proxy = await given.proxy()
    await given.run(given.params({ port: proxy.port, soon: true, options: { window: 64 } }))
    for (let round = 0; round < 8; round++) {
      await given.queue.send(items(round * 50, (round + 1) * 50))
      await until(() => given.done().length >= round * 50 + 1, `something of round ${round} is done`)
      proxy.reset()
    }
    await until(async () => given.done().length === 400 && (await given.queue.left()) === 0, 'all are acked')
    assert.deepEqual(given.done(), range(0, 400))
  })

  bench.network.longTest('a server that is away for a while is waited for, and so are its acks', async (given) => {
    await using proxy = await given.proxy()
    await given.queue.send(items(0, 20, { act: 'hold' }))
    const pipeline = await given.run(given.params({ port: proxy.port, soon: true }))
    await until(() => linesOf(given.folder, 'started').length === 20, 'they are in the graph')
    proxy.close()
    given.openGate()
    await until(() => given.done().length === 20, 'they are done')
    await given.queue.send(items(20, 40))
    await sleep(500)
    assert.deepEqual(given.done(), range(0, 20))
    proxy.open()
    await until(async () => (await given.queue.left()) === 0, 'all are acked')
    assert.deepEqual(given.done(), range(0, 40))
    assert.equal(pipeline.snapshot().nodes['in']!.failed, 0)
  })

  bench.network.longTest(
    'what another process has again while the first one works on it is lost by neither',
    async (given) => {
      if (suite.isUncounted === true) return given.t.skip('only its sender delivers again')
      await using proxy = await given.proxy()
      await given.queue.send(items(0, 10, { act: 'hold' }))
      const first = await given.fork(given.params({ port: proxy.port, soon: true }))
      const started = (): number => linesOf(given.folder, 'started').length
      await until(() => started() === 10, 'the first process has them')
      proxy.close()
      await given.run(given.params({ soon: true }))
      await until(() => started() >= 20, 'another one has them too')
      proxy.open()
      given.openGate()
      await until(async () => (await given.queue.left()) === 0, 'all are acked')
      await until(() => linesOf(given.folder, 'done').length >= 20, 'both have done them')
      // The first one's acks of what is acked already are no failures.
      await given.queue.send(items(10, 20))
      await until(async () => (await given.queue.left()) === 0, 'more are acked')
      assert.deepEqual(given.done(), range(0, 20))
      first.kill('SIGINT')
      const [code] = (await once(first, 'exit')) as [number | null]
      assert.equal(code, 0)
    },
  )

  bench.network.soakTest('a server that is away for a minute is waited for, and so are its acks', async (given) => {
    await using proxy = await given.proxy()
    await given.queue.send(items(0, 20, { act: 'hold' }))
    const pipeline = await given.run(given.params({ port: proxy.port, soon: true }))
    await until(() => linesOf(given.folder, 'started').length === 20, 'they are in the graph')
    proxy.close()
    given.openGate()
    await given.queue.send(items(20, 40))
    await until(() => pipeline.degraded.length > 0, 'its health says so')
    await sleep(MINUTE_MS)
    assert.deepEqual(given.done(), range(0, 20))
    proxy.open()
    await until(async () => (await given.queue.left()) === 0, 'all are acked')
    assert.deepEqual(given.done(), range(0, 40))
    assert.equal(pipeline.snapshot().nodes['in']!.failed, 0)
    await until(() => pipeline.degraded.length === 0, 'its health is well again')
  })

  bench.network.longTest('a server that is away for good does not hold up a stop', async (given) => {
    await using proxy = await given.proxy()
    await given.queue.send(items(0, 10, { act: 'hold' }))
    const pipeline = await given.run(given.params({ port: proxy.port, soon: true }))
    await until(() => linesOf(given.folder, 'started').length === 10, 'they are in the graph')
    proxy.close()
    given.openGate()
    await until(() => given.done().length === 10, 'they are done')
    await pipeline.stop()
    assert.ok((await given.queue.left()) === 10, 'what nobody acked is there')
    await given.run(given.params({ soon: true }))
    await until(async () => (await given.queue.left()) === 0, 'the next process acks it')
    assert.deepEqual(given.done(), range(0, 10))
  })

  bench.test(
    'a message that is no record, and one that fails, take the dead-letter edge; the others go on',
    async (given) => {
      await given.queue.send([...items(0, 5), '{"n": torn', ...items(5, 10), ...items(10, 11, { act: 'throw' })])
      await given.run(given.params({ hasDead: true }))
      await until(async () => (await given.queue.left()) === 0, 'all are acked')
      assert.deepEqual(given.done(), range(0, 10))
      const dead = linesOf(given.folder, 'dead').map(
        (line) => JSON.parse(line) as { node: string; code?: string; message: string },
      )
      assert.deepEqual(dead.map(({ node, code }) => `${node} ${code ?? ''}`).sort(), ['in MESSAGE_UNREADABLE', 'work '])
    },
  )

  bench.test(
    'a message that fails without a dead-letter edge is delivered again until its deliveries are used up',
    async (given) => {
      if (suite.isUncounted === true) return given.t.skip('its deliveries are not counted')
      await given.queue.send([...items(0, 5), ...items(5, 6, { act: 'throw' })])
      const pipeline = await given.run(given.params({ options: { maxDeliveries: 3, redeliverMs: 20 } }))
      await until(async () => (await given.queue.left()) === 0, 'all are settled')
      assert.deepEqual(given.done(), range(0, 5))
      assert.equal(linesOf(given.folder, 'started').filter((line) => line === '5').length, 3)
      await until(() => pipeline.snapshot().nodes['in']!.failed === 3, 'it is counted')
    },
  )

  bench.test('messages that travelled with one that fails come once more, and then each by itself', async (given) => {
    if (suite.isUncounted === true) return given.t.skip('its deliveries are not counted')
    await given.queue.send([...items(0, 20), ...items(20, 21, { act: 'throw' }), ...items(21, 40)])
    await given.run(given.params({ options: { maxDeliveries: 4, redeliverMs: 20 }, chunk: 64 }))
    await until(async () => (await given.queue.left()) === 0, 'all are settled')
    const times = (n: number): number => linesOf(given.folder, 'started').filter((line) => line === String(n)).length
    assert.equal(times(20), 4)
    for (const n of [...range(0, 20), ...range(21, 40)])
      assert.ok(times(n) >= 1 && times(n) <= 2, `${n} came ${times(n)} times`)
  })

  bench.longTest('what killed its process too often is not tried again', async (given) => {
    if (suite.isUncounted === true) return given.t.skip('its deliveries are not counted')
    await given.queue.send(items(0, 1, { act: 'hold' }))
    const params = given.params({ soon: true, options: { maxDeliveries: 2 }, hasDead: true })
    const started = (): number => linesOf(given.folder, 'started').length
    const isDead = (): boolean => linesOf(given.folder, 'dead').length > 0
    while (!isDead()) {
      const before = started()
      const child = await given.fork(params)
      await until(() => started() > before || isDead(), 'another delivery')
      // The last process lives until the server knows.
      if (isDead()) await until(async () => (await given.queue.left()) === 0, 'it is settled')
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    assert.match(linesOf(given.folder, 'dead').join(), /MESSAGE_UNDELIVERABLE/)
    assert.ok(started() <= 2, `${started()} times`)
  })

  bench.test('a drain ends what was taken and gives the rest back; the next run has it at once', async (given) => {
    const pipeline = await given.run(given.params({ options: { window: 32 } }))
    await given.queue.send(items(0, 500))
    await until(() => given.done().length > 20, 'records flow')
    await pipeline.drain()
    const done = given.done().length
    assert.equal(await given.queue.left(), 500 - done)
    await given.run(given.params())
    await until(async () => (await given.queue.left()) === 0, 'all are acked')
    assert.deepEqual(given.done(), range(0, 500))
    assert.equal(linesOf(given.folder, 'done').length, 500, 'each came once')
  })

  bench.longTest('Ctrl-C ends what was taken, and the process with 0', async (given) => {
    await given.queue.send(items(0, 100))
    const child = await given.fork(given.params())
    await until(() => given.done().length > 0, 'records flow')
    child.kill('SIGINT')
    const [code] = (await once(child, 'exit')) as [number | null]
    assert.equal(code, 0)
    await until(async () => (await given.queue.left()) === 100 - given.done().length, 'what is done is acked')
  })
}

/** What a sink has brought, sorted. */
async function numbersAt({ queue }: Case): Promise<number[]> {
  return (await queue.received()).map((text) => (JSON.parse(text) as Item).n).sort((a, b) => a - b)
}

async function push(pipeline: Pipeline, from: number, to: number): Promise<Promise<void>[]> {
  const receipts = await Promise.all(range(from, to).map((n) => pipeline.push('in', { n })))
  return receipts.map(({ done }) => done)
}

/** The guarantees of a sink; its graph is `outGraph`. */
export function sinkGuarantees(suite: Suite): void {
  const bench = new Bench(suite)
  startGuarantees(bench)

  bench.test('a record is done when the server has it', async (given) => {
    const pipeline = await given.run(given.params())
    await Promise.all(await push(pipeline, 0, 300))
    assert.deepEqual(await numbersAt(given), range(0, 300))
    assert.equal((await pipeline.drain()).acked, 300)
  })

  bench.network.test('a record is not done while the server has not confirmed it', async (given) => {
    await using proxy = await given.proxy()
    const pipeline = await given.run(given.params({ port: proxy.port }))
    await Promise.all(await push(pipeline, 0, 1))
    proxy.silence()
    const open = await push(pipeline, 1, 11)
    const first = await Promise.race([...open, sleep(300, 'none')])
    assert.equal(first, 'none')
    proxy.speak()
    await Promise.all(open)
    const stored = await numbersAt(given)
    assert.deepEqual([...new Set(stored)], range(0, 11))
  })

  bench.network.test('connections that are reset lose nothing', async (given) => {
    await using proxy = await given.proxy()
    const pipeline = await given.run(given.params({ port: proxy.port }))
    const open = await push(pipeline, 0, 100)
    proxy.reset()
    await Promise.all(open)
    assert.deepEqual([...new Set(await numbersAt(given))], range(0, 100))
  })

  bench.network.longTest('connections that are reset again and again lose nothing', async (given) => {
    await using proxy = await given.proxy()
    const pipeline = await given.run(given.params({ port: proxy.port }))
    for (let round = 0; round < 8; round++) {
      const open = await push(pipeline, round * 50, (round + 1) * 50)
      proxy.reset()
      await Promise.all(open)
    }
    const stored = await numbersAt(given)
    assert.deepEqual([...new Set(stored)], range(0, 400))
    if (suite.isExactlyOnce === true) assert.equal(stored.length, 400, 'nothing is there twice')
  })

  bench.network.longTest('a server that is away for a while is waited for', async (given) => {
    await using proxy = await given.proxy()
    const pipeline = await given.run(given.params({ port: proxy.port }))
    await Promise.all(await push(pipeline, 0, 5))
    proxy.close()
    const open = await push(pipeline, 5, 25)
    assert.equal(await Promise.race([...open, sleep(500, 'none')]), 'none')
    proxy.open()
    await Promise.all(open)
    assert.deepEqual([...new Set(await numbersAt(given))], range(0, 25))
    assert.equal(pipeline.snapshot().nodes['out']!.failed, 0)
  })

  bench.network.soakTest('a server that is away for a minute is waited for', async (given) => {
    await using proxy = await given.proxy()
    const pipeline = await given.run(given.params({ port: proxy.port }))
    await Promise.all(await push(pipeline, 0, 5))
    proxy.close()
    const open = await push(pipeline, 5, 25)
    assert.equal(await Promise.race([...open, sleep(MINUTE_MS, 'none')]), 'none')
    proxy.open()
    await Promise.all(open)
    assert.deepEqual([...new Set(await numbersAt(given))], range(0, 25))
    assert.equal(pipeline.snapshot().nodes['out']!.failed, 0)
  })

  bench.test('a record that cannot be written fails alone, and takes the dead-letter edge', async (given) => {
    const pipeline = await given.run(given.params({ hasDead: true }))
    const open = await Promise.all(
      range(0, 40).map((n) =>
        pipeline.push('in', n === 17 ? { n, filler: { deep: 10n } } : { n, filler: 'all right' }),
      ),
    )
    await Promise.all(open.map(({ done }) => done))
    assert.deepEqual(
      await numbersAt(given),
      range(0, 40).filter((n) => n !== 17),
    )
    assert.equal(linesOf(given.folder, 'dead').length, 1)
  })

  bench.test('a worker that is killed loses nothing', async (given) => {
    const pipeline = await given.run(given.params())
    const open = await push(pipeline, 0, 500)
    await pipeline.restartWorker('out', 0)
    await Promise.all(open)
    const stored = await numbersAt(given)
    assert.deepEqual([...new Set(stored)], range(0, 500))
    if (suite.isExactlyOnce === true) assert.equal(stored.length, 500, 'nothing is there twice')
  })

  bench.test('a drain waits until all is confirmed', async (given) => {
    const pipeline = await given.run(given.params())
    const open = await push(pipeline, 0, 200)
    const report = await pipeline.drain()
    assert.equal(report.acked, 200)
    await Promise.all(open)
    assert.deepEqual(await numbersAt(given), range(0, 200))
  })
}
