import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { setEnvironmentData } from 'node:worker_threads'
import { type MillraceError, type Pipeline, dataflow, run } from 'millrace'
import { assertConserved } from '../run/harness.js'
import * as graphs from './graphs.js'

const codeAndText =
  (code: string, ...texts: string[]) =>
  (error: MillraceError): boolean => {
    const all = `${error.message} ${String(error.cause)}`
    const codes = [error.code, (error.cause as { code?: string } | undefined)?.code]
    return codes.includes(code) && texts.every((text) => all.includes(text))
  }

async function read(pipeline: Pipeline, count: number): Promise<unknown[]> {
  const records: unknown[] = []
  for await (const record of pipeline.output('out')) if (records.push(record) === count) break
  return records
}

test('a module that throws, one that is missing and a wrong export are fatal, and name file and error', async () => {
  await assert.rejects(run(graphs.throwing), codeAndText('MODULE_NOT_LOADED', 'throws.js', 'this module throws'))
  await assert.rejects(run(graphs.missing), codeAndText('MODULE_NOT_LOADED', 'nowhere.js'))
  await assert.rejects(run(graphs.wrongExport), codeAndText('HANDLER_MISSING', 'nothing'))
})

test('a graph without handlers is refused before anything starts', async () => {
  const drawn = dataflow('drawn')
    .source('in')
    .transform('work')
    .sink('out')
    .connect('in', 'work')
    .connect('work', 'out')
  await assert.rejects(run(drawn), codeAndText('HANDLER_MISSING', 'drawn', 'rehearse'))
})

test('a `setup` that fails names its node, and nothing runs', async () => {
  await assert.rejects(run(graphs.badSetup), codeAndText('START_FAILED', 'work', 'no database'))
})

test('all stages are ready in time, or none runs', async () => {
  await assert.rejects(run(graphs.neverReady, { startDeadlineMs: 3_000, deadlineMs: 500 }), {
    code: 'START_TIMEOUT',
    detail: { nodes: ['none'], startDeadlineMs: 3_000 },
  })
})

test('a module may run the graph that it exports: workers that load it take the graph, and go no further', async () => {
  const { pipeline } = await import('./modules/runs.js')
  assert.equal((await pipeline.finished).acked, 1)
})

test('after the deadline what is left is nacked to the source, and the report tells it by stage', async () => {
  const told = new Int32Array(new SharedArrayBuffer(800))
  setEnvironmentData('told', told.buffer)
  const pipeline = await run(graphs.stuck)
  void read(pipeline, Infinity)
  // The window is full: record 30 holds up those behind it.
  while (pipeline.snapshot().nodes['numbers']!.in < 50) await sleep(10)
  const report = await pipeline.drain({ deadlineMs: 4_000 })
  assert.equal(report.outcome, 'drained')
  assert.equal(report.deadlinePassed, true)
  const { in: taken } = report.nodes['numbers']!
  assert.equal(report.acked + report.failed + report.abandoned, taken)
  assert.ok(report.abandoned > 0 && report.abandoned <= 50)
  for (let n = 0; n < taken; n++) {
    assert.ok(told[n]! + told[100 + n]! >= 1, `record ${n} was told`)
  }
  assert.equal(told[100 + 30], 1)
  assertConserved(pipeline)
})

test('`stop` may be called from within what a record starts', async () => {
  const pipeline = await run(graphs.ticks)
  let report: Awaited<ReturnType<Pipeline['stop']>> | undefined
  for await (const record of pipeline.output('out')) if (record === 20) report = await pipeline.stop()
  assert.equal(report!.outcome, 'stopped')
  assert.equal((await pipeline.stop()).outcome, 'stopped')
})

test('the signal of a run stops it', async () => {
  const controller = new AbortController()
  const pipeline = await run(graphs.ticks, { signal: controller.signal })
  await read(pipeline, 5)
  controller.abort()
  assert.equal((await pipeline.finished).outcome, 'stopped')
  await assert.rejects(run(graphs.ticks, { signal: controller.signal }), { name: 'AbortError' })
})

test('a second run of the same graph is independent of the first', async () => {
  const first = await run(graphs.ticks)
  const second = await run(graphs.ticks)
  assert.deepEqual(await read(first, 10), await read(second, 10))
  await first.stop()
  assert.equal(second.state, 'running')
  assert.equal((await second.stop()).outcome, 'stopped')
})

async function cycle(): Promise<void> {
  const pipeline = await run(graphs.ticks)
  await read(pipeline, 3)
  await pipeline.stop()
}

function held(): string[] {
  return process.getActiveResourcesInfo().filter((name) => ['MessagePort', 'Worker', 'Timeout'].includes(name))
}

/** Bytes that are held once the garbage is gone. */
async function heldBytes(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  // What was let go of in one turn of the loop may hold something that is let go of in the next.
  for (let i = 0; i < 4; i++) {
    collect()
    await sleep(10)
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

test('ten runs leave no thread, no handle and no megabyte behind', async (t) => {
  await cycle()
  await cycle()
  const [handles, bytes] = [held().length, await heldBytes()]
  for (let i = 0; i < 10; i++) await cycle()
  const grown = (await heldBytes()) - bytes
  t.diagnostic(`grown by ${grown} bytes`)
  assert.ok(held().length <= handles, `handles: ${held().join(', ')}`)
  assert.ok(grown < 1_000_000, `grown by ${grown} bytes`)
})
