/** What every source promises that goes on in a file where it was. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Bench, range, type Suite, until } from './bench.js'
import { linesOf, numbersOf } from './work.js'

/** So that a part of a file has few of them. */
const FILLER = 'x'.repeat(8_000)

function items(from: number, to: number, act?: 'hold' | 'throw'): string[] {
  return range(from, to).map((n) => JSON.stringify({ n, ...(act === undefined ? {} : { act }), filler: FILLER }))
}

/** The guarantees of such a source; its graph is `workGraph`. */
export function cursorGuarantees(suite: Suite): void {
  const bench = new Bench(suite)

  bench.test('the cursor that is kept has nothing below it that has not ended', async (given) => {
    await given.queue.send([...items(0, 40), ...items(40, 41, 'hold'), ...items(41, 100)])
    const pipeline = await given.run(given.params())
    await until(() => given.done().length === 99, 'the others are done')
    await until(async () => (await given.queue.left()) < 100, 'some of it is kept')
    assert.ok((await given.queue.left()) >= 60)
    given.openGate()
    await until(async () => (await given.queue.left()) === 0, 'all has ended')
    assert.deepEqual(given.done(), range(0, 100))
    assert.equal(pipeline.snapshot().nodes['in']!.failed, 0)
  })

  bench.test('no more is read than the window allows', async (given) => {
    await given.queue.send(items(0, 300, 'hold'))
    await given.run(given.params())
    await until(() => linesOf(given.folder, 'started').length === 32, 'the window is full')
    given.openGate()
    await until(async () => (await given.queue.left()) === 0, 'all has ended')
    assert.deepEqual(given.done(), range(0, 300))
  })

  bench.test('a process that was killed is followed by one that goes on where all had ended', async (given) => {
    await given.queue.send([...items(0, 60), ...items(60, 80, 'hold')])
    const params = given.params()
    const child = await given.fork(params)
    await until(() => given.done().length === 60 && numbersOf(given.folder, 'started').length === 80, 'most is done')
    await until(async () => (await given.queue.left()) <= 40, 'what is done is kept')
    child.kill('SIGKILL')
    await once(child, 'exit')
    const left = await given.queue.left()
    assert.ok(left >= 20, 'nothing is kept that was not done')
    const before = linesOf(given.folder, 'started').length
    given.openGate()
    await given.run(params)
    await until(async () => (await given.queue.left()) === 0, 'all has ended')
    assert.deepEqual(given.done(), range(0, 80))
    assert.equal(linesOf(given.folder, 'started').length - before, left, 'no more came again than was left')
  })

  bench.test('a worker that is replaced reads nothing again that is in the graph, and loses nothing', async (given) => {
    await given.queue.send(items(0, 20, 'hold'))
    const pipeline = await given.run(given.params())
    await until(() => linesOf(given.folder, 'started').length === 20, 'all are in the graph')
    await pipeline.restartWorker('in', 0)
    given.openGate()
    await until(async () => (await given.queue.left()) === 0, 'all has ended')
    assert.deepEqual(given.done(), range(0, 20))
    assert.equal(linesOf(given.folder, 'started').length, 20, 'each was taken once')
  })

  bench.test('what is no record, and what fails, take the dead-letter edge; the others go on', async (given) => {
    await given.queue.send([...items(0, 5), '{"n": torn', ...items(5, 10), ...items(10, 11, 'throw'), ...items(11, 12)])
    await given.run(given.params({ hasDead: true }))
    await until(async () => (await given.queue.left()) === 0, 'all has ended')
    assert.deepEqual(given.done(), [...range(0, 10), 11])
    const dead = linesOf(given.folder, 'dead').map((line) => JSON.parse(line) as { node: string; code?: string })
    assert.deepEqual(dead.map(({ node, code }) => `${node} ${code ?? ''}`).sort(), ['in MESSAGE_UNREADABLE', 'work '])
  })

  bench.test('a drain ends what was read; the next run goes on behind it', async (given) => {
    await given.queue.send(items(0, 200))
    const pipeline = await given.run(given.params())
    await until(() => given.done().length > 20, 'records flow')
    await pipeline.drain()
    await given.run(given.params())
    await until(async () => (await given.queue.left()) === 0, 'all has ended')
    assert.deepEqual(given.done(), range(0, 200))
  })
}
