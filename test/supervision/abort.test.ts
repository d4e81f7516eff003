/** Signals that abort: before the start, during it, and for many who wait at once. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { setEnvironmentData } from 'node:worker_threads'
import { type GraphData, run } from 'millrace'
import { pushed } from '../run/graphs.js'
import { until } from '../run/harness.js'
import { graph as hangs } from './modules/hangs.js'
import { HANGING, READY, TORN_DOWN, looping, sleeping, waiting } from './slow-starts.js'

/** What the start or the end could wait for instead; the time limits of the tests are shorter. */
const NEVER = { startDeadlineMs: 3_600_000, deadlineMs: 3_600_000 }
const TIMELY = { timeout: 60_000 }

function watchSteps(): (step: number) => number {
  const steps = new Int32Array(new SharedArrayBuffer(16))
  setEnvironmentData('steps', steps.buffer)
  return (step) => Atomics.load(steps, step)
}

function held(): number {
  const kinds = new Set(['MessagePort', 'Worker', 'Timeout'])
  return process.getActiveResourcesInfo().filter((name) => kinds.has(name)).length
}

const HANGS: readonly [string, GraphData][] = [
  ['a `setup` that loops', looping],
  ['a `setup` that waits for nothing', waiting],
  ['a `setup` that sleeps', sleeping],
  ['a module that loops', hangs],
]

for (const [what, graph] of HANGS) {
  test(`a signal that aborts during ${what} ends the start at once, and no thread is left`, TIMELY, async () => {
    const steps = watchSteps()
    const before = held()
    const controller = new AbortController()
    const reason = new Error('changed my mind')
    const starting = run(graph, { ...NEVER, signal: controller.signal })
    const refused = assert.rejects(starting, (error) => error === reason)
    await until(() => steps(HANGING) > 0, 'a worker hangs')
    controller.abort(reason)
    await refused
    await until(() => held() <= before, 'nothing is held')
  })
}

test('a start that is given up tears down what was set up', TIMELY, async () => {
  const steps = watchSteps()
  const controller = new AbortController()
  const refused = assert.rejects(run(looping, { ...NEVER, signal: controller.signal }), { name: 'AbortError' })
  await until(() => steps(HANGING) > 0 && steps(READY) > 0, 'one worker is set up, the other hangs')
  // Its setup has been called; that it is over is told behind that.
  let looks = 0
  await until(() => ++looks > 30, 'the supervisor has heard of it')
  controller.abort()
  await refused
  assert.equal(steps(TORN_DOWN), steps(READY))
})

test('a worker that hangs when the start is out of time is not waited for', TIMELY, async () => {
  watchSteps()
  await assert.rejects(run(looping, { ...NEVER, startDeadlineMs: 2_000 }), { code: 'START_TIMEOUT' })
})

test('a process that gives a start up comes to its end', TIMELY, async () => {
  const program = fileURLToPath(new URL('modules/aborts.js', import.meta.url))
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program], { timeout: 50_000 })
  assert.equal(stdout, 'changed my mind\n')
  assert.equal(stderr, '')
})

test('with a signal that is aborted already no thread is started', async () => {
  const steps = watchSteps()
  const reason = new Error('too late')
  await assert.rejects(run(looping, { signal: AbortSignal.abort(reason) }), (error) => error === reason)
  assert.equal(steps(READY) + steps(HANGING), 0)
})

/** Warnings of the process while `act` runs. */
async function warningsOf(act: () => Promise<void>): Promise<string[]> {
  const warnings: string[] = []
  const note = ({ name }: Error): unknown => warnings.push(name)
  process.on('warning', note)
  await act()
  // A warning is told in the next turn of the loop.
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', note)
  return warnings
}

test('a hundred pushes and calls may wait for one signal, without a warning of Node', TIMELY, async () => {
  const pipeline = await run(pushed, { maxDemand: 1 })
  const controller = new AbortController()
  const { signal } = controller
  const warnings = await warningsOf(async () => {
    const open = Array.from({ length: 100 }, (_, n) => [
      pipeline.push('in', n, { signal }),
      pipeline.call('in', n, { signal }),
    ])
    controller.abort(new Error('enough'))
    const outcomes = await Promise.allSettled(open.flat())
    const refused = outcomes.filter(({ status }) => status === 'rejected').length
    assert.ok(refused > 100, `${refused} of 200 were still waiting`)
  })
  assert.deepEqual(warnings, [])
  await pipeline.stop()
})

test('a signal outlives the pipelines and pushes that had it, and holds none of them', TIMELY, async () => {
  const { signal } = new AbortController()
  let listeners = 0
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++
    add(...args)
  }
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--
    remove(...args)
  }
  const pipeline = await run(pushed, { signal })
  await Promise.all([1, 2, 3].map((n) => pipeline.call('in', n, { signal })))
  assert.equal(listeners, 1)
  await pipeline.drain()
  assert.equal(listeners, 0)
})
